//! The latest orders, each with its path.

use super::{between, clock};
use crate::console::{
    Console,
    form::Form,
    html::{Html, html},
    journal::{OrderPath, Outcome},
};
use dynoxide::AttributeValue;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// The number of orders to show.
const SHOWN: usize = 15;
/// How late an outcome must be before its row is looked up.
const LATE: Duration = Duration::from_secs(1);

pub fn render(console: &Console, _: &Form) -> Html {
    let latest = console.observer.journal().latest(SHOWN);
    if latest.is_empty() {
        return html!(
            "<p>No order since <code>local</code> started. Send a spike, or place one with <code>curl</code>.</p>"
        );
    }
    let row = |(id, path): (String, OrderPath)| {
        let path = console.settled(&id, path);
        html!(
            "<tr><td data-label=\"accepted\">{}</td><td data-label=\"order\">{}</td><td data-label=\"received\">{}</td>\
             <td data-label=\"outcome\">{}</td></tr>",
            clock(path.accepted),
            link(&id, "latest"),
            received(&path),
            outcome(&path),
        )
    };
    let rows: Vec<_> = latest.into_iter().map(row).collect();
    html!(
        "<table class=\"orders\"><thead><tr><th scope=\"col\">Accepted (UTC)</th><th scope=\"col\">Order</th>\
         <th scope=\"col\">Received</th><th scope=\"col\">Outcome</th></tr></thead><tbody>{}</tbody></table>",
        rows,
    )
}

/// A link that shows an order. `place` distinguishes links to the same order, so that the focused one keeps the focus.
pub fn link(id: &str, place: &str) -> Html {
    let encoded = utf8_percent_encode(id, NON_ALPHANUMERIC).to_string();
    html!(
        "<a id=\"{}-{}\" href=\"/?order={}#order\">{}</a>",
        place,
        encoded,
        encoded,
        id
    )
}

fn received(path: &OrderPath) -> Html {
    match (path.receives.first(), path.receives.last()) {
        (Some((first, _)), Some((_, count))) => {
            html!(
                "{}×, first after {}",
                *count,
                between(path.accepted, *first)
            )
        }
        _ => html!("<span class=\"quiet\">not yet</span>"),
    }
}

fn outcome(path: &OrderPath) -> Html {
    let Some(outcome) = &path.outcome else {
        return status("queued", None);
    };
    let after = between(path.accepted, outcome.at);
    html!(
        "{} <span class=\"quiet\">after {}</span>",
        status(&outcome.status, outcome.reason.as_deref()),
        after,
    )
}

/// A status, coloured if it is one that orders have.
pub fn status(status: &str, reason: Option<&str>) -> Html {
    let class = match status {
        "queued" | "confirmed" | "rejected" | "failed" => status,
        _ => "unknown",
    };
    let reason = reason.map(|reason| html!(" <span class=\"reason\">{}</span>", reason));
    html!(
        "<span class=\"status {}\">{}</span>{}",
        class,
        status,
        reason
    )
}

impl Console {
    /// Completes a path from the order's row, if the worker was killed before it learnt that the table accepted the row.
    pub(in crate::console) fn settled(&self, id: &str, mut path: OrderPath) -> OrderPath {
        let Some((received, _)) = path.receives.last() else {
            return path;
        };
        if path.outcome.is_none()
            && Timestamp::now().duration_since(*received).unsigned_abs() > LATE
        {
            path.outcome = self.outcome(id);
            if let Some(outcome) = &path.outcome {
                self.observer.journal().written(id, outcome.clone());
            }
        }
        path
    }

    /// The outcome in an order's row.
    fn outcome(&self, id: &str) -> Option<Outcome> {
        let row = self.row(&self.system.orders, "id", id)?;
        let text = |name: &str| row.get(name).and_then(text);
        Some(Outcome {
            at: text("processed_at")?.parse().ok()?,
            status: text("status")?,
            reason: text("reason"),
        })
    }
}

/// A row's text or number.
pub fn text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        _ => None,
    }
}
