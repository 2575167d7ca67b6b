//! The latest orders, each with its way.

use super::{between, clock};
use crate::console::{
    Console,
    form::Form,
    html::{Html, html},
    journal::{Outcome, Way},
};
use dynoxide::AttributeValue;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// Orders that are shown.
const SHOWN: usize = 15;
/// A row is looked for when an order's outcome should be there and wasn't seen.
const LATE: Duration = Duration::from_secs(1);

pub fn render(console: &Console, _: &Form) -> Html {
    let latest = console.observer.journal().latest(SHOWN);
    if latest.is_empty() {
        return html!(
            "<p>No order since <code>local</code> started. Send a spike, or place one with <code>curl</code>.</p>"
        );
    }
    let row = |(id, way): (String, Way)| {
        let way = console.settled(&id, way);
        html!(
            "<tr><td data-label=\"accepted\">{}</td><td data-label=\"order\">{}</td><td data-label=\"received\">{}</td>\
             <td data-label=\"outcome\">{}</td></tr>",
            clock(way.accepted),
            link(&id, "latest"),
            received(&way),
            outcome(&way),
        )
    };
    let rows: Vec<_> = latest.into_iter().map(row).collect();
    html!(
        "<table class=\"orders\"><thead><tr><th scope=\"col\">Accepted (UTC)</th><th scope=\"col\">Order</th>\
         <th scope=\"col\">Received</th><th scope=\"col\">Outcome</th></tr></thead><tbody>{}</tbody></table>",
        rows,
    )
}

/// A link that shows an order. `place` tells links to the same order apart, so that the one that has the focus keeps it.
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

fn received(way: &Way) -> Html {
    match (way.receives.first(), way.receives.last()) {
        (Some((first, _)), Some((_, count))) => {
            html!("{}×, first after {}", *count, between(way.accepted, *first))
        }
        _ => html!("<span class=\"quiet\">not yet</span>"),
    }
}

fn outcome(way: &Way) -> Html {
    let Some(outcome) = &way.outcome else {
        return status("queued", None);
    };
    let after = between(way.accepted, outcome.at);
    html!(
        "{} <span class=\"quiet\">after {}</span>",
        status(&outcome.status, outcome.reason.as_deref()),
        after,
    )
}

/// A status, in its colour if it is one that orders have.
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
    /// Completes a way by the order's row, if its worker was killed before it heard that the table took it.
    pub(in crate::console) fn settled(&self, id: &str, mut way: Way) -> Way {
        let Some((received, _)) = way.receives.last() else {
            return way;
        };
        if way.outcome.is_none() && Timestamp::now().duration_since(*received).unsigned_abs() > LATE
        {
            way.outcome = self.outcome(id);
            if let Some(outcome) = &way.outcome {
                self.observer.journal().written(id, outcome.clone());
            }
        }
        way
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

/// A text or a number of a row.
pub fn text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        _ => None,
    }
}
