//! Publishes the outcomes of a batch on an EventBridge bus.
//!
//! `PutEvents` may take some entries of a call and refuse others. Entries that may be taken later are sent again while the bus
//! takes any at all. The caller keeps the messages of unpublished outcomes on the queue.

use crate::{backoff, effects::Effects, records::Record};
use aws_sdk_eventbridge::{
    Client,
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_events::{PutEventsError, PutEventsOutput},
    types::PutEventsRequestEntry,
};
use events::{OrderId, OutcomeEvent, text::bounded};
use function::sdk_error;
use futures_util::stream::{self, StreamExt};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Maximum number of entries in a call.
const MOST_ENTRIES: usize = 10;
/// Maximum bytes of a call's entries: EventBridge's limit before it was raised to 1 MB. Ten of the API's orders need a tenth of
/// it.
const MOST_BYTES: usize = 256_000;
/// Maximum number of calls at a time.
const CALLS: usize = 10;
/// How long the bus may take nothing before it is given up for this batch. While the bus is down, a batch takes a worker about
/// this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// An event bus that outcomes are published on.
#[derive(Debug)]
pub struct OutcomeBus {
    eventbridge: Client,
    name: String,
    source: String,
}

/// An event on its way.
struct Entry {
    record: Record,
    order_id: OrderId,
    request: PutEventsRequestEntry,
}

/// A refusal of an entry.
enum Refused {
    /// The bus may take the entry when it is sent again.
    ForNow(Entry),
    /// The bus would refuse the entry again.
    ForGood(Entry),
}

impl OutcomeBus {
    /// Publishes on the bus with this name or ARN. Its events have this `source`.
    pub fn new(eventbridge: &Client, name: String, source: String) -> Self {
        // `publish` sends refused entries again; the SDK would repeat whole calls.
        let once = eventbridge.config().to_builder();
        let once = once.retry_config(RetryConfig::disabled()).build();
        Self {
            eventbridge: Client::from_conf(once),
            name,
            source,
        }
    }

    /// Sends the events, each with its record, until `deadline`. Returns the records whose events the bus has not taken, as
    /// far as is known: an answer may be lost.
    pub async fn publish(
        &self,
        events: Vec<(Record, OutcomeEvent)>,
        deadline: Instant,
        effects: Effects,
    ) -> BTreeSet<Record> {
        let mut left: Vec<_> = events
            .into_iter()
            .map(|(record, event)| self.entry(record, &event))
            .collect();
        let mut unpublished = Vec::new();
        let (mut refusals, mut taken_at) = (0, Instant::now());
        while !left.is_empty() {
            let sent = left.len();
            let calls = pack(left).into_iter().map(|call| self.put(call, deadline));
            let refused: Vec<_> = stream::iter(calls)
                .buffer_unordered(CALLS)
                .flat_map(stream::iter)
                .collect()
                .await;
            if refused.len() < sent {
                (refusals, taken_at) = (0, Instant::now());
            }
            left = Vec::new();
            for refused in refused {
                match refused {
                    Refused::ForNow(entry) => left.push(entry),
                    Refused::ForGood(entry) => unpublished.push(entry),
                }
            }
            let due = Instant::now() + backoff::again(refusals, (effects.chance)());
            refusals += 1;
            if left.is_empty() || due >= deadline.min(taken_at + PATIENCE) {
                break;
            }
            sleep_until(due).await;
        }
        unpublished.append(&mut left);
        for entry in &unpublished {
            tracing::error!(
                order_id = %entry.order_id,
                "could not publish the order's outcome; its message stays on the queue"
            );
        }
        unpublished.iter().map(|entry| entry.record).collect()
    }

    fn entry(&self, record: Record, event: &OutcomeEvent) -> Entry {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(&self.source)
            .detail_type(event.detail_type())
            .detail(event.to_json())
            .build();
        Entry {
            record,
            order_id: event.id,
            request: entry,
        }
    }

    /// Makes one call, and returns the entries that the bus did not take.
    async fn put(&self, call: Vec<Entry>, deadline: Instant) -> Vec<Refused> {
        let entries = call.iter().map(|entry| entry.request.clone()).collect();
        let put = self.eventbridge.put_events().set_entries(Some(entries));
        match timeout_at(deadline, put.send()).await {
            Ok(Ok(answer)) => refused(call, &answer),
            Ok(Err(error)) => {
                let (entries, text) = (call.len(), sdk_error::text(&error));
                tracing::warn!(error = text, entries, "the event bus refused outcomes");
                let refused = if is_passing(&error) {
                    Refused::ForNow
                } else {
                    Refused::ForGood
                };
                call.into_iter().map(refused).collect()
            }
            // They may have been taken: if so, the next delivery publishes them again.
            Err(_) => call.into_iter().map(Refused::ForNow).collect(),
        }
    }
}

/// Returns the entries that the bus refused. Its answer has one result per entry, in the same sequence.
fn refused(call: Vec<Entry>, answer: &PutEventsOutput) -> Vec<Refused> {
    let mut results = answer.entries().iter();
    let mut refused = Vec::new();
    for entry in call {
        let result = results.next();
        if result.is_some_and(|result| result.event_id().is_some()) {
            continue;
        }
        let code = result.and_then(|result| result.error_code());
        let code = code.unwrap_or("no result");
        let message = result.and_then(|result| result.error_message());
        let error = bounded(&format!("{code}: {}", message.unwrap_or_default()));
        tracing::warn!(order_id = %entry.order_id, error, "the event bus refused an outcome");
        refused.push(match code {
            "InternalFailure" | "ThrottlingException" | "no result" => Refused::ForNow(entry),
            _ => Refused::ForGood(entry),
        });
    }
    refused
}

/// Returns whether the same call may succeed later.
fn is_passing(error: &SdkError<PutEventsError>) -> bool {
    let SdkError::ServiceError(refused) = error else {
        return true;
    };
    refused.raw().status().is_server_error()
        || matches!(
            error.code(),
            Some("ThrottlingException" | "RequestLimitExceeded" | "InternalException")
        )
}

/// Packs entries into calls within EventBridge's limits.
fn pack(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut calls: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        bytes += size(&entry.request);
        match calls.last_mut() {
            Some(call) if call.len() < MOST_ENTRIES && bytes <= MOST_BYTES => call.push(entry),
            _ => {
                bytes = size(&entry.request);
                calls.push(vec![entry]);
            }
        }
    }
    calls
}

/// Returns an entry's size, as EventBridge counts it.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let texts = [entry.source(), entry.detail_type(), entry.detail()];
    texts.into_iter().flatten().map(str::len).sum()
}

#[cfg(test)]
mod tests;
