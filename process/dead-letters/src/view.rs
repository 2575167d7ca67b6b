//! Formats letters for the operator. What a client chose can't steer a terminal.

use crate::{dead::Dead, letter::Letter, table::Row};
use aws_sdk_sqs::types::MessageSystemAttributeName::{
    ApproximateFirstReceiveTimestamp, ApproximateReceiveCount, AwsTraceHeader,
    DeadLetterQueueSourceArn, MessageGroupId, SenderId, SentTimestamp,
};
use events::{
    Timestamp,
    text::{bounded, steers},
};
use serde_json::{Value, json};
use std::time::Duration;

/// What is shown of a client and its order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Whether names of clients are shown, and not only hashes.
    pub clients: bool,
    /// Whether it is shown what was ordered.
    pub order: bool,
}

/// Returns the header of the list of letters.
pub fn head() -> String {
    columns([
        "order, else message",
        "client",
        "placed at",
        "receives",
        "age",
    ])
}

/// Formats a letter as one line.
pub fn line(letter: &Letter, shown: Shown, now: Timestamp) -> String {
    let placed = letter.order().as_ref().ok();
    let placed_at = placed.map(|placed| placed.placed_at().to_string());
    let receives = letter.attribute(&ApproximateReceiveCount).unwrap_or("-");
    let age = letter
        .time(&SentTimestamp)
        .map(|sent| short(sent.until(now)));
    columns([
        &letter.id(),
        &client(letter, shown),
        placed_at.as_deref().unwrap_or("-"),
        receives,
        age.as_deref().unwrap_or("-"),
    ])
}

fn columns([id, client, placed_at, receives, age]: [&str; 5]) -> String {
    format!("  {id:36}  {client:32}  {placed_at:24}  {receives:>8}  {age:>7}")
}

/// Formats everything about a letter, one field per line.
pub fn details(dead: &Dead, shown: Shown, now: Timestamp) -> String {
    let Dead {
        letter,
        row,
        reason,
    } = dead;
    let time = |name| {
        let time = letter.time(name)?;
        Some(format!("{time}, {} ago", short(time.until(now))))
    };
    let text = |name| letter.attribute(name).map(bounded);
    let order = letter.order();
    let fields = [
        (
            "order",
            order.as_ref().ok().map(|placed| placed.id().to_string()),
        ),
        ("reason", Some(format!("{reason}: {}", reason.advice()))),
        ("unreadable", order.as_ref().err().map(ToString::to_string)),
        ("client", Some(client(letter, shown))),
        (
            "placed at",
            order
                .as_ref()
                .ok()
                .map(|placed| placed.placed_at().to_string()),
        ),
        ("row", Some(row_line(row))),
        ("message", Some(letter.message_id().to_owned())),
        ("sent", time(&SentTimestamp)),
        ("sender", text(&SenderId)),
        ("first receive", time(&ApproximateFirstReceiveTimestamp)),
        ("receives", text(&ApproximateReceiveCount)),
        ("dead letter of", text(&DeadLetterQueueSourceArn)),
        ("message group", text(&MessageGroupId)),
        ("trace", text(&AwsTraceHeader)),
        ("body", shown.order.then(|| body(letter.body()))),
    ];
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let lines: Vec<_> = known
        .map(|(name, value)| format!("{name:16}{value}"))
        .collect();
    lines.join("\n")
}

fn client(letter: &Letter, shown: Shown) -> String {
    match letter.order() {
        Ok(placed) if shown.clients => bounded(placed.client().as_str()),
        _ => bounded(letter.message_group().as_deref().unwrap_or("-")),
    }
}

fn row_line(row: &Row) -> String {
    match row {
        Row::Missing => "none".to_owned(),
        Row::Unreadable => "unreadable for this version".to_owned(),
        Row::Record(record) => {
            let outcome = json!(record.outcome);
            let reason = match outcome["reason"].as_str() {
                Some(reason) => format!(" ({reason})"),
                None => String::new(),
            };
            let status = record.outcome.status();
            format!("{status}{reason}, processed at {}", record.processed_at)
        }
    }
}

/// Formats a body as JSON with line breaks, or leaves it as it is.
fn body(body: &str) -> String {
    let json = serde_json::from_str::<Value>(body);
    let json = json.and_then(|value| serde_json::to_string_pretty(&value));
    let visible = |c: char| match c {
        '\n' => "\n".to_owned(),
        c if steers(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    json.as_deref()
        .unwrap_or(body)
        .chars()
        .map(visible)
        .collect()
}

/// Formats a duration in its two largest units.
pub fn short(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days}d {}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h {}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m {}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        faked::{message, order, record},
        reason,
    };
    use anyhow::{Context, Result};
    use events::{Outcome, order::kit};

    #[test]
    fn a_span_has_two_units() {
        let check =
            |seconds, expected: &str| assert_eq!(short(Duration::from_secs(seconds)), expected);
        check(0, "0s");
        check(59, "59s");
        check(61, "1m 1s");
        check(3_600, "1h 0m");
        check(86_399, "23h 59m");
        check(1_123_200, "13d 0h");
    }

    #[test]
    fn no_client_and_no_order_is_shown_unless_asked() -> Result<()> {
        let placed = order(1, 7)?;
        let letter = Letter::read(message("m", &placed.to_json())).context("no letter")?;
        let row = record(&placed, Outcome::Failed);
        let reason = reason::Reason::of(&letter, &row);
        let dead = Dead {
            letter,
            row,
            reason,
        };
        let now = "2026-11-22T10:00:00Z".parse()?;
        let shown = |clients, order| details(&dead, Shown { clients, order }, now);
        let silent = shown(false, false) + &line(&dead.letter, Shown::default(), now);
        assert!(
            !silent.contains("ann") && !silent.contains(kit::NAMES[0]),
            "{silent}"
        );
        assert!(
            silent.contains(&placed.client().message_group()),
            "{silent}"
        );
        assert!(shown(true, false).contains("ann"));
        assert!(shown(false, true).contains(kit::NAMES[0]));
        Ok(())
    }

    #[test]
    fn who_sent_a_message_is_shown() -> Result<()> {
        let mut poison = message("m", "no order");
        poison.attributes = Some([(SenderId, "AROAEXAMPLE:somebody".to_owned())].into());
        let letter = Letter::read(poison).context("no letter")?;
        let reason = reason::Reason::of(&letter, &Row::Missing);
        let dead = Dead {
            letter,
            row: Row::Missing,
            reason,
        };
        let now = "2026-11-22T10:00:00Z".parse()?;
        let details = details(&dead, Shown::default(), now);
        assert!(
            details.contains("sender          AROAEXAMPLE:somebody"),
            "{details}"
        );
        Ok(())
    }

    #[test]
    fn a_body_cannot_steer_a_terminal() {
        assert_eq!(body("a\u{1b}[2J\u{9b}\n"), "a\\u{1b}[2J\\u{9b}\n");
        assert_eq!(
            body("ann\u{202e}nimda\u{2066}"),
            "ann\\u{202e}nimda\\u{2066}"
        );
        assert_eq!(body("{\"a\":\"\u{9b}\"}"), "{\n  \"a\": \"\\u{9b}\"\n}");
    }
}
