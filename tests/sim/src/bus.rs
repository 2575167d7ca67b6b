//! A model of the event bus: the events that were published on it.

use crate::{
    answer::Answer,
    case::{Case, Fault, OutageKind},
    request::Row,
    table::Tables,
};
use events::OutcomeEvent;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of entries in a call.
const MOST_ENTRIES: usize = 10;

/// The outcomes that the bus has accepted.
#[derive(Debug, Default)]
pub struct Bus {
    /// By the order's id, oldest first.
    pub published: BTreeMap<String, Vec<OutcomeEvent>>,
    /// Orders whose message was deleted by a worker that publishes nothing.
    pub unpublished: BTreeSet<String>,
    /// Events whose outcome no row has.
    pub wrong: Vec<String>,
}

impl Bus {
    /// Accepts the events of a `PutEvents`, or refuses some or all.
    pub fn put(&mut self, body: &[u8], tables: &Tables) -> Answer {
        if tables.is_out(OutageKind::BusDown) || tables.strikes(Fault::BusDown) {
            return Answer::error(500, "InternalException");
        }
        if tables.is_out(OutageKind::BusThrottled) || tables.strikes(Fault::BusThrottled) {
            return Answer::error(400, "ThrottlingException");
        }
        let request: Value = serde_json::from_slice(body).expect("JSON");
        let entries = request["Entries"].as_array().expect("entries");
        assert!((1..=MOST_ENTRIES).contains(&entries.len()), "{request}");
        let mut failed = 0;
        let results: Vec<_> = entries
            .iter()
            .map(|entry| {
                if tables.strikes(Fault::EventRefused) {
                    failed += 1;
                    let codes = ["ThrottlingException", "InternalFailure", "MalformedDetail"];
                    let code = codes[fastrand::usize(..codes.len())];
                    return json!({"ErrorCode": code, "ErrorMessage": "refused"});
                }
                self.take(entry, tables);
                json!({"EventId": "1"})
            })
            .collect();
        Answer::Ok(json!({"FailedEntryCount": failed, "Entries": results}))
    }

    fn take(&mut self, entry: &Value, tables: &Tables) {
        let detail = entry["Detail"].as_str().expect("a detail");
        let event: OutcomeEvent = serde_json::from_str(detail).expect("an outcome");
        assert_eq!(entry["DetailType"], event.detail_type());
        let id = event.id.to_string();
        let status = event.outcome.status();
        let row = tables.rows.get(&id);
        let text = |name: &str| row.and_then(|row| row.text(name));
        let (placed_at, processed_at) =
            (event.placed_at.to_string(), event.processed_at.to_string());
        let is_right = if status == "failed" {
            // The row may have been settled since.
            tables.failed.contains(&(id.clone(), processed_at))
        } else {
            (text("status"), text("processed_at"), text("placed_at"))
                == (Some(status), Some(&*processed_at), Some(&*placed_at))
        };
        if !is_right {
            self.wrong.push(format!(
                "{id} was published as {status}, but its row is {row:?}"
            ));
        }
        self.published.entry(id).or_default().push(event);
    }

    /// Whether the outcome in an order's row was published, or its message deleted by a worker that publishes nothing.
    pub fn is_published(&self, row: &Row) -> bool {
        let mut events = self.published.get(&row.id).into_iter().flatten();
        self.unpublished.contains(&row.id)
            || events.any(|event| event.outcome.status() == row.status)
    }

    /// Checks that each outcome was published, if the case has a bus.
    pub fn check(&self, case: &Case, tables: &Tables, wrong: &mut Vec<String>) {
        wrong.extend(self.wrong.iter().cloned());
        if !case.stack.bus {
            return;
        }
        for row in tables.rows.values().filter(|row| row.status != "failed") {
            if !self.is_published(row) {
                let Row { id, status, .. } = row;
                wrong.push(format!("{id} is {status}, but that was never published"));
            }
        }
    }
}
