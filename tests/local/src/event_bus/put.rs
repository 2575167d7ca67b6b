//! `PutEvents`.

use super::{EventBuses, bus_name, error::BusError};
use crate::{
    template::model::{ACCOUNT, REGION},
    terminal::note,
};
use events::text::bounded;
use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The maximum number of entries in a request.
const MOST_ENTRIES: usize = 10;
/// The maximum size of a request's entries.
const MOST_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutEvents {
    entries: Vec<NewEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewEvent {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    resources: Vec<String>,
    event_bus_name: Option<String>,
}

impl EventBuses {
    pub(super) fn put_events(&self, request: PutEvents) -> Result<Value, BusError> {
        let entries = request.entries;
        if !(1..=MOST_ENTRIES).contains(&entries.len()) {
            let why = format!(
                "{} entries are in the request; from 1 to {MOST_ENTRIES} may be",
                entries.len()
            );
            return Err(BusError::invalid(why));
        }
        let size = |event: &NewEvent| {
            let texts = [&event.source, &event.detail_type, &event.detail];
            let texts = texts.into_iter().chain(&event.resources);
            texts.map(String::len).sum::<usize>()
        };
        if entries.iter().map(size).sum::<usize>() > MOST_BYTES {
            let why = "Total size of the entries in the request is over the limit.";
            return Err(BusError::invalid(why));
        }
        let mut failed = 0;
        let results: Vec<_> = entries
            .iter()
            .map(|event| match self.put(event) {
                Ok(id) => json!({ "EventId": id }),
                Err((code, message)) => {
                    failed += 1;
                    json!({"ErrorCode": code, "ErrorMessage": message})
                }
            })
            .collect();
        Ok(json!({"FailedEntryCount": failed, "Entries": results}))
    }

    /// Sends an event to the queues that the rules name, and returns its id. The error is a code and a message.
    fn put(&self, event: &NewEvent) -> Result<String, (&'static str, &'static str)> {
        let invalid = |why| Err(("InvalidArgument", why));
        if event.source.is_empty() {
            return invalid(
                "Parameter Source is not valid. Reason: Source is a required argument.",
            );
        }
        if event.detail_type.is_empty() {
            return invalid(
                "Parameter DetailType is not valid. Reason: DetailType is a required argument.",
            );
        }
        if event.source.starts_with("aws.") {
            return Err((
                "NotAuthorizedForSourceException",
                "Not authorized for the source.",
            ));
        }
        let Ok(detail) = serde_json::from_str::<Map<String, Value>>(&event.detail) else {
            return Err(("MalformedDetail", "Detail is malformed."));
        };
        let id = Uuid::new_v4().to_string();
        let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let delivered = json!({
            "version": "0",
            "id": id,
            "detail-type": event.detail_type,
            "source": event.source,
            "account": ACCOUNT,
            "time": now.to_string(),
            "region": REGION,
            "resources": event.resources,
            "detail": detail,
        })
        .to_string();
        let name = bus_name(event.event_bus_name.as_deref());
        let Some(queues) = self
            .buses()
            .get(name)
            .map(|bus| bus.queues(delivered.as_bytes()))
        else {
            // As LocalStack's tests recorded it on AWS.
            note(&format!(
                "events: there is no bus {}: the event is accepted, as on AWS, and delivered to no target",
                bounded(name)
            ));
            return Ok(id);
        };
        for queue in queues {
            if let Err(error) = self.sqs.send(&queue, &delivered) {
                let why = bounded(&format!("{queue} accepts no event: {error:#}"));
                note(&format!("events: queue {why}"));
            }
        }
        Ok(id)
    }
}
