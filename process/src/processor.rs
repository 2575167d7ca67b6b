//! Processes an SQS batch: records come in, their failures go out. Each record is answered on its own.

use crate::{
    backoff::{redelivery, turn},
    commit::{Committed, commit},
    disposition::{Cause, Disposition},
    effects::Effects,
    group::{chain, pack},
    records::{Batch, Duplicate, Pending, first_received, read_batch, receives},
    table::OrderTable,
    tally::Tally,
    visibility::MessageVisibility,
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A worker stops writing this long before its invocation ends: it then changes visibility timeouts, and answers.
pub const MARGIN: Duration = Duration::from_secs(3);

/// Processes SQS batches.
#[derive(Debug)]
pub struct Processor {
    /// The tables that the orders go to.
    pub table: OrderTable,
    /// The visibility of the messages that stay on the queue.
    pub visibility: MessageVisibility,
    /// The queue's `maxReceiveCount`: a message that was received so often moves to the dead-letter queue.
    pub max_receives: u32,
    /// The new visibility timeout of a record that failed on its own once; it doubles with each delivery.
    pub retry_base: Duration,
    /// The queue's visibility timeout, and the longest of those.
    pub visibility_timeout: Duration,
    /// The time of day, and chance.
    pub effects: Effects,
    /// Gets the metrics of each batch.
    pub metrics: fn(&Tally),
}

/// A record has no id, so it can't be answered. SQS sends none; the whole batch fails, since an empty id in the answer
/// would say just that.
#[derive(Debug, thiserror::Error)]
#[error("a record has no messageId")]
pub struct NoMessageId;

impl Processor {
    /// Processes a batch, and names the records that stay on the queue. The invocation ends at `end`.
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
        let start = Instant::now();
        let (dispositions, first) = self.settle(&event.records, end - MARGIN).await;
        // An outage before the table accepted the first order tells nothing of the table's speed.
        let elapsed = first.unwrap_or(start).elapsed();
        let is_left = |disposition: &&Disposition| matches!(disposition, Disposition::Retry(_));
        let left = dispositions.iter().filter(is_left).count();
        let served = dispositions.len() - left;
        let mut response = SqsBatchResponse::default();
        let mut changes = Vec::new();
        let mut tally = Tally::default();
        for (record, disposition) in event.records.into_iter().zip(dispositions) {
            tally.count(disposition);
            let Disposition::Retry(cause) = disposition else {
                continue;
            };
            let chance = (self.effects.chance)();
            let timeout = match cause {
                Cause::Record => {
                    let longest = self.visibility_timeout;
                    let receives = receives(&record);
                    Some(redelivery(self.retry_base, longest, receives, chance))
                }
                Cause::Busy if served > 0 => {
                    let waited = self.waited(&record).unwrap_or(elapsed);
                    Some(turn(elapsed, served, left, waited, chance))
                }
                // The table writes nothing: the queue's visibility timeout spans the longest outage.
                Cause::Busy | Cause::Table => None,
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
            tracing::warn!("no time was left to change the visibility of messages");
        }
        (self.metrics)(&tally);
        Ok(response)
    }

    /// The time since a record was delivered first.
    fn waited(&self, record: &SqsMessage) -> Option<Duration> {
        let first = first_received(record)?;
        (self.effects.clock)().duration_since(first).ok()
    }

    /// Gives the disposition of each record, by `deadline`, and the time at which the table wrote the first order.
    async fn settle(
        &self,
        records: &[SqsMessage],
        deadline: Instant,
    ) -> (Vec<Disposition>, Option<Instant>) {
        let Batch {
            first: orders,
            duplicates,
            unread,
        } = read_batch(records);
        // Failed by default, until something better is known below.
        let mut dispositions = vec![Disposition::Retry(Cause::Record); records.len()];
        for (record, cause) in unread {
            dispositions[record] = Disposition::Retry(cause);
        }

        let is_last = |order: &&Pending| order.receives >= self.max_receives;
        let (last, others): (Vec<_>, Vec<_>) = orders.iter().partition(is_last);
        let start = Instant::now();
        let half = start + deadline.saturating_duration_since(start) / 2;
        self.put_failed(&last, half).await;
        let mut groups: Vec<_> = last.into_iter().map(|order| vec![order]).collect();
        groups.extend(pack(others));
        let committed = commit(&self.table, chain(groups), deadline, self.effects).await;
        let Committed {
            dispositions: known,
            first,
        } = committed;
        for (record, disposition) in known {
            dispositions[record] = disposition;
        }
        for duplicate in duplicates {
            let disposition = of_duplicate(&duplicate, dispositions[duplicate.first]);
            dispositions[duplicate.record] = disposition;
            let first = orders.iter().find(|order| order.record == duplicate.first);
            if let (Disposition::KeyMismatch, Some(first)) = (disposition, first) {
                let (order_id, client) = (first.placed.id(), first.placed.client());
                let client = client.message_group();
                tracing::warn!(
                    %order_id,
                    client,
                    message_id = records[duplicate.record].message_id,
                    "another order came under this idempotency key, in the same batch; the first counts"
                );
            }
        }
        (dispositions, first)
    }

    /// Stores an order on its last delivery as failed first: a worker that is killed now leaves a true status. Puts one
    /// row after the other, as far as `deadline` allows; the rest is tried without.
    async fn put_failed(&self, orders: &[&Pending], deadline: Instant) {
        for order in orders {
            let order_id = order.placed.id();
            let now = (self.effects.clock)().into();
            let put = AssertUnwindSafe(self.table.put_failed(&order.placed, now)).catch_unwind();
            match timeout_at(deadline, put).await {
                Ok(Ok(Ok(()))) => {
                    tracing::warn!(%order_id, "last delivery attempt: stored as failed first");
                }
                Ok(Ok(Err(error))) => {
                    tracing::error!(%order_id, %error, "could not store the order as failed");
                }
                Ok(Err(_)) => {
                    tracing::error!(%order_id, "storing the order as failed panicked");
                }
                Err(_) => {
                    tracing::error!(%order_id, "no time was left to store the order as failed");
                }
            }
        }
    }
}

/// The disposition of a record whose id an earlier one has, by the disposition of that.
fn of_duplicate(duplicate: &Duplicate, first: Disposition) -> Disposition {
    match first {
        Disposition::Retry(cause) => Disposition::Retry(cause),
        Disposition::KeyMismatch if duplicate.is_same => Disposition::KeyMismatch,
        // The row is of neither, or of this one: tried by itself, it will be known.
        Disposition::KeyMismatch => Disposition::Retry(Cause::Record),
        Disposition::Stored(_) | Disposition::StoredBefore if duplicate.is_same => {
            Disposition::StoredBefore
        }
        Disposition::Stored(_) | Disposition::StoredBefore => Disposition::KeyMismatch,
    }
}

#[cfg(test)]
mod tests;
