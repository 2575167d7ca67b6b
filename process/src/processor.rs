//! Processes an SQS batch, answering each record on its own; returns those that failed. `last_delivery` handles orders that
//! won't be delivered again, `rivals` handles orders under one key.

mod last_delivery;
mod rivals;

use crate::{
    backoff::{redelivery, turn},
    bus::OutcomeBus,
    disposition::{Cause, Disposition, Settled},
    effects::Effects,
    records::{Batch, Duplicate, Pending, Record, first_received, read_batch, receives},
    table::OrderTable,
    tally::Tally,
    visibility::MessageVisibility,
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use events::OutcomeEvent;
use futures_util::FutureExt;
use std::{collections::BTreeSet, panic::AssertUnwindSafe, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A worker stops writing this long before its invocation ends, to change visibility timeouts and to answer.
pub const MARGIN: Duration = Duration::from_secs(3);

/// A worker that publishes outcomes stops writing this much earlier, or by a quarter of its time if that is less.
const PUBLISHING: Duration = Duration::from_secs(10);

/// Processes SQS batches.
#[derive(Debug)]
pub struct Processor {
    /// The tables that the orders go to.
    pub table: OrderTable,
    /// The visibility of the messages that stay on the queue.
    pub visibility: MessageVisibility,
    /// The bus that outcomes are published on, if there is one.
    pub bus: Option<OutcomeBus>,
    /// The queue's `maxReceiveCount`: after this many deliveries, a message moves to the dead-letter queue.
    pub max_receives: u32,
    /// The new visibility timeout of a record that failed on its own once. It doubles with each delivery.
    pub retry_base: Duration,
    /// The queue's visibility timeout, which is also the longest timeout of such a record.
    pub visibility_timeout: Duration,
    /// The time of day and chance.
    pub effects: Effects,
    /// Receives the metrics of each batch.
    pub metrics: fn(&Tally),
}

/// The error for a batch with a record without id, which can't be answered on its own. SQS sends no such record. An empty id
/// in the answer would fail the whole batch, too.
#[derive(Debug, thiserror::Error)]
#[error("a record has no messageId")]
pub struct NoMessageId;

impl Processor {
    /// Processes a batch, and returns the records that stay on the queue. The invocation ends at `end`.
    pub async fn handle(
        &self,
        event: SqsEvent,
        end: Instant,
    ) -> Result<SqsBatchResponse, NoMessageId> {
        let has_no_id =
            |record: &SqsMessage| record.message_id.as_deref().unwrap_or_default().is_empty();
        if event.records.iter().any(has_no_id) {
            return Err(NoMessageId);
        }
        let (settlements, elapsed) = self.settle(&event.records, end - MARGIN).await;
        let is_left = |it: &Settlement| matches!(it.disposition, Disposition::Retry(_));
        let left = settlements.iter().filter(|it| is_left(it)).count();
        let served = settlements.len() - left;
        let mut response = SqsBatchResponse::default();
        let mut changes = Vec::new();
        let mut tally = Tally::default();
        for (record, settlement) in event.records.into_iter().zip(settlements) {
            let receives = receives(&record);
            tally.count(&settlement.disposition, receives);
            if settlement.is_unpublished {
                tally.count_unpublished();
            }
            if !is_left(&settlement) && !settlement.is_unpublished {
                continue;
            }
            let chance = (self.effects.chance)();
            let timeout = match settlement.disposition {
                Disposition::Retry(Cause::Record) => {
                    let longest = self.visibility_timeout;
                    Some(redelivery(self.retry_base, longest, receives, chance))
                }
                Disposition::Retry(Cause::Busy) if served > 0 => {
                    let waited = self.waited(&record).unwrap_or(elapsed);
                    Some(turn(elapsed, served, left, waited, chance))
                }
                // If the worker is too old, or the table or the bus takes nothing, the queue's visibility timeout outlasts the
                // longest outage.
                Disposition::Retry(Cause::Busy | Cause::Worker | Cause::Table)
                | Disposition::Stored(_)
                | Disposition::StoredBefore(_)
                | Disposition::UnknownOutcome
                | Disposition::KeyMismatch(_) => None,
            };
            if let (Some(timeout), Some(receipt_handle)) = (timeout, &record.receipt_handle) {
                changes.push((receipt_handle.clone(), timeout));
            }
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
        let change = self.visibility.change(&changes);
        if timeout_at(end - MARGIN / 3, change).await.is_err() {
            tracing::warn!("ran out of time to change the visibility of messages");
        }
        (self.metrics)(&tally);
        Ok(response)
    }

    /// Returns the time since a record was first delivered.
    fn waited(&self, record: &SqsMessage) -> Option<Duration> {
        let received = first_received(record)?;
        (self.effects.clock)().duration_since(received).ok()
    }

    /// Stores the orders of the records and publishes their outcomes, by `deadline`. Returns the settlement of each record, and
    /// how long the table was writing.
    async fn settle(
        &self,
        records: &[SqsMessage],
        deadline: Instant,
    ) -> (Vec<Settlement>, Duration) {
        let now = (self.effects.clock)().into();
        let Batch {
            orders,
            duplicates,
            unread,
        } = read_batch(records, |order| self.table.may_have_forgotten(order, now));
        let unread = unread.into_iter();
        let unread = unread.map(|(record, cause)| (record, Disposition::Retry(cause)));
        let (stored, elapsed) = self.store(&orders, deadline).await;
        // A record counts as failed until its disposition is known.
        let failed = Settlement {
            disposition: Disposition::Retry(Cause::Record),
            is_unpublished: false,
        };
        let mut settlements = vec![failed; records.len()];
        for (record, disposition) in unread.chain(stored) {
            settlements[record.0].disposition = disposition;
        }
        for order in &orders {
            if let Disposition::KeyMismatch(_) = settlements[order.record.0].disposition {
                tracing::warn!(
                    order_id = %order.placed.id(),
                    client = order.placed.client().message_group(),
                    message_id = records[order.record.0].message_id,
                    "another order was stored under this idempotency key; it counts, and this one doesn't"
                );
            }
        }
        for record in self.publish(&orders, &settlements, deadline).await {
            settlements[record.0].is_unpublished = true;
        }
        for Duplicate { record, of } in duplicates {
            let mut settlement = settlements[of.0].clone();
            if let Disposition::Stored(settled) = settlement.disposition {
                settlement.disposition = Disposition::StoredBefore(settled);
            }
            settlements[record.0] = settlement;
        }
        (settlements, elapsed)
    }

    /// Stores the orders, with time left to publish their outcomes by `deadline`. Returns the dispositions, and how long the
    /// table was writing.
    async fn store(
        &self,
        orders: &[Pending],
        deadline: Instant,
    ) -> (Vec<(Record, Disposition)>, Duration) {
        let start = Instant::now();
        let time = deadline.saturating_duration_since(start);
        let publishing = match self.bus {
            Some(_) => PUBLISHING.min(time / 4),
            None => Duration::ZERO,
        };
        // On the heap: rustc can't lay out a future that is nested this deeply.
        let committed = Box::pin(self.write(orders, deadline - publishing)).await;
        // An outage before the table accepted the first order says nothing about the table's speed.
        let elapsed = committed.first_write.unwrap_or(start).elapsed();
        let mut dispositions = committed.dispositions;
        for (_, disposition) in &mut dispositions {
            // The message waits for a worker that knows the outcome and can publish it.
            if *disposition == Disposition::UnknownOutcome && self.bus.is_some() {
                *disposition = Disposition::Retry(Cause::Worker);
            }
        }
        (dispositions, elapsed)
    }

    /// Publishes the outcomes of the orders, if there is a bus. Returns the records of unpublished ones.
    async fn publish(
        &self,
        orders: &[Pending],
        settlements: &[Settlement],
        deadline: Instant,
    ) -> BTreeSet<Record> {
        let Some(bus) = &self.bus else {
            return BTreeSet::new();
        };
        // Half of the time left is for reading rows, the other half for publishing.
        let left = deadline.saturating_duration_since(Instant::now());
        let half = Instant::now() + left / 2;
        let failed = self.failed(orders, settlements, half).await;
        let event = |order: &Pending| {
            let Settled {
                outcome,
                placed_at,
                processed_at,
            } = match settlements[order.record.0].disposition {
                Disposition::Stored(settled) | Disposition::StoredBefore(settled) => settled,
                Disposition::Retry(_) => *failed.get(&order.record)?,
                Disposition::UnknownOutcome | Disposition::KeyMismatch(_) => return None,
            };
            let event = OutcomeEvent::new(&order.placed, outcome, placed_at, processed_at);
            Some((order.record, event))
        };
        let events: Vec<_> = orders.iter().filter_map(event).collect();
        let records = events.iter().map(|(record, _)| *record).collect();
        let publish = AssertUnwindSafe(bus.publish(events, deadline, self.effects)).catch_unwind();
        publish.await.unwrap_or_else(|_| {
            tracing::error!("publishing outcomes panicked");
            records
        })
    }
}

/// What is known of a record.
#[derive(Clone)]
struct Settlement {
    disposition: Disposition,
    /// Whether the order has an outcome that the bus has not taken.
    is_unpublished: bool,
}

#[cfg(test)]
mod tests;
