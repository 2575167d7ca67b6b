//! `list`: the dead letters, grouped by reason.

use crate::{
    console::Console,
    dead::Stack,
    reason::Reason,
    stop::{End, Stop},
    view::{self, Shown},
    walk::walk,
};
use anyhow::Result;
use aws_sdk_sqs::types::MessageSystemAttributeName::SentTimestamp;
use events::Timestamp;
use std::collections::BTreeMap;

/// Lists all dead letters by reason, the oldest first.
pub async fn list(
    stack: &Stack,
    stop: &Stop,
    shown: Shown,
    now: Timestamp,
    console: &mut Console,
) -> Result<End> {
    let mut groups = BTreeMap::<Reason, Vec<(Option<Timestamp>, String)>>::new();
    let (retention, end) = walk(&stack.queues, stop, console, async |walk, console| {
        while let Some(letters) = walk.next().await? {
            for dead in stack.judge(letters).await? {
                let (sent, line) = (
                    dead.letter.time(&SentTimestamp),
                    view::line(&dead.letter, shown, now),
                );
                groups.entry(dead.reason).or_default().push((sent, line));
            }
            console.progress(format_args!("{} read", walk.read()))?;
        }
        Ok(walk.counts().retention)
    })
    .await?;
    for (reason, letters) in &mut groups {
        letters.sort();
        console.line(format_args!(
            "{reason}: {}. {}.",
            letters.len(),
            reason.advice()
        ))?;
        console.line(view::head())?;
        for (_, line) in letters {
            console.line(line)?;
        }
        console.line("")?;
    }
    let letters: usize = groups.values().map(Vec::len).sum();
    let whole = if end == End::Done {
        "in all"
    } else {
        "read; others are left"
    };
    console.line(format_args!("{letters} {whole}"))?;
    let oldest = groups
        .values()
        .flatten()
        .filter_map(|(sent, _)| *sent)
        .min();
    if let Some(left) = oldest.and_then(|sent| retention.checked_sub(sent.until(now))) {
        console.line(format_args!("The oldest expires in {}.", view::short(left)))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{Fake, Text, operator, order, refused};
    use events::Outcome;
    use serde_json::json;
    use std::sync::Mutex;

    async fn run(fake: &Fake) -> (Result<End>, String) {
        let (text, (_want, stop)) = (Text::default(), operator());
        let now = "2026-11-22T10:00:00Z".parse().expect("a time");
        let mut console = text.console();
        let end = list(&fake.stack(), &stop, Shown::default(), now, &mut console).await;
        (end, text.read())
    }

    #[tokio::test]
    async fn letters_are_grouped_by_reason_and_left_where_they_are() -> Result<()> {
        let fake = Fake::default();
        for n in 0..25 {
            let placed = order(n, 1)?;
            if n < 20 {
                fake.settle(&placed, Outcome::Failed)?;
            }
            let sent = json!({"SentTimestamp": (1_795_338_000_000_u64 + u64::from(n)).to_string()});
            fake.bury(&n.to_string(), &placed.to_json(), sent);
        }
        let (end, text) = run(&fake).await;
        assert_eq!(end?, End::Done);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("failed: 20. "), "{text}");
        assert!(lines[23].starts_with("queued: 5. "), "{text}");
        assert!(lines[2].contains(&order(0, 1)?.id().to_string()), "{text}");
        assert!(
            text.ends_with("25 in all\nThe oldest expires in 13d 23h.\n"),
            "{text}"
        );
        let held = fake.held();
        assert!(held.hidden.is_empty() && held.letters.len() == 25 && held.sent.is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_letter_that_is_met_again_counts_once_and_hides_no_other() -> Result<()> {
        let (fake, receives) = (Fake::default(), Mutex::new(0));
        for n in 0..15 {
            fake.bury(&n.to_string(), "poison", json!({}));
        }
        fake.interfere(move |call, _| {
            let mut receives = receives.lock().expect("no panic in here");
            *receives += usize::from(call == "ReceiveMessage");
            let again = json!({"MessageId": "0", "ReceiptHandle": "handle of 0", "Body": "poison"});
            (call == "ReceiveMessage" && (2..5).contains(&*receives))
                .then(|| (200, json!({"Messages": [again]})))
        });
        let (end, text) = run(&fake).await;
        assert_eq!(end?, End::Done);
        assert!(text.starts_with("unreadable: 15. "), "{text}");
        assert!(fake.held().hidden.is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_read_is_reported_and_nothing_stays_hidden() -> Result<()> {
        let fake = Fake::default();
        fake.bury("a", &order(1, 1)?.to_json(), json!({}));
        fake.interfere(|call, _| (call == "GetItem").then(|| refused("ResourceNotFoundException")));
        let (end, _) = run(&fake).await;
        let error = format!("{:#}", end.expect_err("the table can't be read"));
        assert!(error.contains("the table orders can't be read"), "{error}");
        assert!(fake.held().hidden.is_empty());
        Ok(())
    }
}
