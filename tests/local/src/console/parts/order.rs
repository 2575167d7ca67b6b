//! One order: its way, its row, its message, and the log lines that name it.

use super::{between, clock, orders::status};
use crate::{
    console::{
        Console,
        form::Form,
        html::{Html, html},
        journal::Way,
    },
    sqs::Peeked,
};
use serde_json::Value;

/// Messages, and log lines of a function, that are shown.
const SHOWN: u32 = 10;
const LINES: usize = 50;

pub fn render(console: &Console, form: &Form) -> Html {
    let id = form.get("order");
    if id.is_empty() {
        return Html::default();
    }
    let way = console.observer.journal().way(id);
    let way = way.map(|way| console.settled(id, way));
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
    let is_known = way.is_some() || row.is_some() || messages.is_some() || lines.is_some();
    let unknown = (!is_known).then(|| {
        html!("<p>Nothing here names it: no row, no message, no log line, and it isn't among the latest orders.</p>")
    });
    html!(
        "<h2 id=\"order-title\">Order <code>{}</code></h2><p><a id=\"order-close\" href=\"/\">Close</a></p>{}{}{}{}{}",
        id,
        unknown,
        way.as_ref().map(steps),
        row,
        messages,
        lines,
    )
}

fn steps(way: &Way) -> Html {
    let receives = way.receives.iter().map(|(at, count)| {
        let after = between(way.accepted, *at);
        html!(
            "<li>received, {}× in all <span class=\"quiet\">{}, after {}</span></li>",
            *count,
            clock(*at),
            after
        )
    });
    let outcome = way.outcome.as_ref().map(|outcome| {
        let after = between(way.accepted, outcome.at);
        let status = status(&outcome.status, outcome.reason.as_deref());
        html!(
            "<li>{} <span class=\"quiet\">{}, after {}</span></li>",
            status,
            clock(outcome.at),
            after
        )
    });
    html!(
        "<h3>Way</h3><ol class=\"way\"><li>accepted <span class=\"quiet\">{}</span></li>{}{}</ol>",
        clock(way.accepted),
        receives.collect::<Vec<_>>(),
        outcome,
    )
}

fn messages(console: &Console, id: &str) -> Option<Html> {
    // As it stands in JSON.
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

/// Whether somebody has it.
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

/// JSON with line breaks; what isn't JSON stays as it is.
fn pretty(body: &str) -> String {
    let value = serde_json::from_str::<Value>(body);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| body.to_owned())
}
