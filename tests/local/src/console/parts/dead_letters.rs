//! The newest dead letters, each with the reason as far as its order's row shows it.

use super::{
    clock, count,
    orders::{link, text},
};
use crate::{
    console::{
        Console,
        form::Form,
        html::{Html, html},
        wire,
    },
    sqs::Peeked,
};
use jiff::Timestamp;

/// The number of dead letters to show.
const SHOWN: u32 = 15;

pub fn render(console: &Console, _: &Form) -> Html {
    let letters = console.sqs.peek(&console.system.dead_letters, "", SHOWN);
    if letters.is_empty() {
        return html!("<p>None.</p>");
    }
    let all = console.history().gauges().dead.max(letters.len() as u64);
    let row = |letter: &Peeked| {
        let id = wire::order_id(letter.body.as_bytes());
        let sent = Timestamp::from_millisecond(letter.sent_at).unwrap_or_default();
        let name = match &id {
            Some(id) => link(id, "dead"),
            None => html!("message <code>{}</code>", letter.id),
        };
        html!(
            "<tr><td data-label=\"order\">{}</td><td data-label=\"sent\">{}</td><td data-label=\"received\">{}×</td>\
             <td data-label=\"reason\">{}</td></tr>",
            name,
            clock(sent),
            letter.receive_count,
            console.reason(id.as_deref()),
        )
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    html!(
        "<p>{} on the dead-letter queue. A redrive sends all of them to the queue again.</p>\
         <form method=\"post\" action=\"/.console/redrive\"><button id=\"redrive\">Redrive</button></form>\
         <table class=\"dead\"><thead><tr><th scope=\"col\">Order</th><th scope=\"col\">Sent (UTC)</th><th scope=\"col\">Received</th>\
         <th scope=\"col\">Reason</th></tr></thead><tbody>{}</tbody></table>",
        count(all),
        rows,
    )
}

impl Console {
    fn reason(&self, id: Option<&str>) -> &'static str {
        let Some(id) = id else {
            return "it holds no order; after a redrive it would come back";
        };
        let row = self.row(&self.system.orders, "id", id);
        let status = row.map(|row| row.get("status").and_then(text));
        match status.as_ref().map(Option::as_deref) {
            None => "it has no row: the table refused, or no worker ran; its client reads queued",
            Some(Some("failed")) => "processing gave up; its client reads failed",
            Some(Some("confirmed" | "rejected")) => {
                "its row has the outcome: it wasn't published, or this is a copy"
            }
            Some(_) => "its row can't be read",
        }
    }
}
