//! One order: its path, its row, its message, and the log lines that name it.

use super::{between, clock, orders::status};
use crate::{
    console::{
        Console,
        form::Form,
        html::{Html, html},
        journal::OrderPath,
    },
    sqs::Peeked,
};
use serde_json::Value;

/// The number of messages, and of log lines per function, to show.
const SHOWN: u32 = 10;
const LINES: usize = 50;

pub fn render(console: &Console, form: &Form) -> Html {
    let id = form.get("order");
    if id.is_empty() {
        return Html::default();
    }
    let path = console.observer.journal().path(id);
    let path = path.map(|path| console.settled(id, path));
    let row = console.row(&console.system.orders, "id", id);
    let row = row.and_then(|row| serde_json::to_string_pretty(&row).ok());
    let row = row.map(|row| {
        html!(
            "<h3>Row</h3><pre tabindex=\"0\" aria-label=\"Row\">{}</pre>",
            row
        )
    });
    let messages = messages(console, id);
    let lines = lines(console, id);
    let is_known = path.is_some() || row.is_some() || messages.is_some() || lines.is_some();
    let unknown = (!is_known).then(|| {
        html!("<p>Unknown: it has no row, no message and no log line, and isn't among the latest orders.</p>")
    });
    html!(
        "<h2 id=\"order-title\">Order <code>{}</code></h2><p><a id=\"order-close\" href=\"/\">Close</a></p>{}{}{}{}{}",
        id,
        unknown,
        path.as_ref().map(steps),
        row,
        messages,
        lines,
    )
}

fn steps(path: &OrderPath) -> Html {
    let receives = path.receives.iter().map(|(at, count)| {
        let after = between(path.accepted, *at);
        html!(
            "<li>received, {}× in all <span class=\"quiet\">{}, after {}</span></li>",
            *count,
            clock(*at),
            after
        )
    });
    let outcome = path.outcome.as_ref().map(|outcome| {
        let after = between(path.accepted, outcome.at);
        let status = status(&outcome.status, outcome.reason.as_deref());
        html!(
            "<li>{} <span class=\"quiet\">{}, after {}</span></li>",
            status,
            clock(outcome.at),
            after
        )
    });
    html!(
        "<h3>Path</h3><ol class=\"path\"><li>accepted <span class=\"quiet\">{}</span></li>{}{}</ol>",
        clock(path.accepted),
        receives.collect::<Vec<_>>(),
        outcome,
    )
}

fn messages(console: &Console, id: &str) -> Option<Html> {
    // The id as it is written in JSON.
    let text = Value::from(id).to_string();
    let system = &console.system;
    let on = |queue: &str, name: &str| {
        let messages = console.sqs.peek(queue, &text, SHOWN).into_iter();
        let message = |message: Peeked| {
            html!(
                "<p>On the {}: {}, received {}×.</p><pre tabindex=\"0\" aria-label=\"Message\">{}</pre>",
                name,
                place(&message),
                message.receive_count,
                pretty(&message.body),
            )
        };
        messages.map(message).collect::<Vec<_>>()
    };
    let mut found = on(&system.queue, "queue");
    found.append(&mut on(&system.dead_letters, "dead-letter queue"));
    (!found.is_empty()).then(|| html!("<h3>Message</h3>{}", found))
}

/// Whether a receiver has it.
fn place(message: &Peeked) -> String {
    match (message.in_flight, message.hidden) {
        (true, Some(ms)) => format!("in flight for {} s at most", ms.div_ceil(1000)),
        (false, Some(ms)) => format!("hidden for {} s", ms.div_ceil(1000)),
        (_, None) => "waiting".to_owned(),
    }
}

fn lines(console: &Console, id: &str) -> Option<Html> {
    let functions = console.system.functions.iter();
    let found = functions.flat_map(|function| {
        let lines = console.lambda.log_lines_with(function, id);
        let first = lines.len().saturating_sub(LINES);
        let line = |line: &String| format!("[{function}] {line}\n");
        lines[first..].iter().map(line).collect::<Vec<_>>()
    });
    let found: String = found.collect();
    (!found.is_empty()).then(|| {
        html!(
            "<h3>Log</h3><pre tabindex=\"0\" aria-label=\"Log\">{}</pre>",
            found
        )
    })
}

/// Formats JSON with line breaks; other text stays as it is.
fn pretty(body: &str) -> String {
    let value = serde_json::from_str::<Value>(body);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| body.to_owned())
}
