//! An SQS batch comes in, its failures go out: each record is answered on its own.

use crate::{
    backoff::{redelivery, turn},
    commit::{Fault, Outcome, commit},
    group::{Pending, chain, pack},
    records::{Batch, Copy, first_received, read_batch, receives},
    table::OrderTable,
    tally::Tally,
    visibility::RetryQueue,
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, timeout_at};

/// What is kept of an invocation's time for putting records off and for answering.
pub const RESERVE: Duration = Duration::from_secs(3);

/// Processes batches.
#[derive(Debug)]
pub struct Processor {
    /// Where the orders go.
    pub table: OrderTable,
    /// Where they come from.
    pub queue: RetryQueue,
    /// How often a message is received before it moves to the dead-letter queue.
    pub max_receives: u32,
    /// How long a record that failed once is put off.
    pub retry_base: Duration,
    /// The time of day.
    pub clock: fn() -> SystemTime,
    /// Chance, from 0 to 1: it spreads retries.
    pub chance: fn() -> f64,
    /// Gets the metrics of each batch.
    pub metrics: fn(&Tally),
}

/// A record that cannot be answered for, because it has no id. SQS sends none; the whole batch fails, since an empty
/// id in the answer would say just that.
#[derive(Debug, thiserror::Error)]
#[error("a record has no messageId")]
pub struct NoMessageId;

impl Processor {
    /// Processes a batch, and says which of its records are to stay on the queue. The invocation ends at `end`.
    pub async fn handle(
        &self,
        event: SqsEvent,
        end: Instant,
    ) -> Result<SqsBatchResponse, NoMessageId> {
        if event
            .records
            .iter()
            .any(|record| record.message_id.as_deref().unwrap_or_default().is_empty())
        {
            return Err(NoMessageId);
        }
        let start = Instant::now();
        let (outcomes, first) = self.settle(&event.records, end - RESERVE).await;
        // A table that was down before it took the first order says nothing of its speed by that.
        let elapsed = first.unwrap_or(start).elapsed();
        let is_left = |outcome: &&Outcome| matches!(outcome, Outcome::Failed(_));
        let left = outcomes.iter().filter(is_left).count();
        let served = outcomes.len() - left;
        let mut response = SqsBatchResponse::default();
        let mut put_off = Vec::new();
        let mut tally = Tally::default();
        for (record, outcome) in event.records.into_iter().zip(outcomes) {
            tally.count(outcome);
            let Outcome::Failed(fault) = outcome else {
                continue;
            };
            let delay = match fault {
                Fault::Record => {
                    let chance = (self.chance)();
                    Some(redelivery(self.retry_base, receives(&record), chance))
                }
                Fault::Busy if served > 0 => {
                    let waited = self.waited(&record).unwrap_or(elapsed);
                    Some(turn(elapsed, served, left, waited, (self.chance)()))
                }
                // A table that takes nothing: the visibility timeout spans the longest outage.
                Fault::Busy | Fault::Table => None,
            };
            if let (Some(delay), Some(receipt_handle)) = (delay, &record.receipt_handle) {
                put_off.push((receipt_handle.clone(), delay));
            }
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
        if timeout_at(end - RESERVE / 3, self.queue.put_off(&put_off))
            .await
            .is_err()
        {
            tracing::warn!("no time was left to change the visibility of messages");
        }
        (self.metrics)(&tally);
        Ok(response)
    }

    /// The time since a record was received first.
    fn waited(&self, record: &SqsMessage) -> Option<Duration> {
        let first = first_received(record)?;
        (self.clock)().duration_since(first).ok()
    }

    /// The outcome of each record, by `deadline`, and when the table took the first.
    async fn settle(
        &self,
        records: &[SqsMessage],
        deadline: Instant,
    ) -> (Vec<Outcome>, Option<Instant>) {
        let Batch {
            first,
            copies,
            unread,
        } = read_batch(records);
        // What nothing else is said about has failed.
        let mut outcomes = vec![Outcome::Failed(Fault::Record); records.len()];
        for (record, fault) in unread {
            outcomes[record] = Outcome::Failed(fault);
        }

        let is_last = |order: &&Pending| order.receives >= self.max_receives;
        let (last, others): (Vec<_>, Vec<_>) = first.iter().partition(is_last);
        let start = Instant::now();
        let half = start + deadline.saturating_duration_since(start) / 2;
        self.put_failed(&last, half).await;
        let mut groups: Vec<_> = last.into_iter().map(|order| vec![order]).collect();
        groups.extend(pack(others));
        let written = commit(&self.table, chain(groups), deadline, self.chance).await;
        for (record, outcome) in written.outcomes {
            outcomes[record] = outcome;
        }
        for copy in copies {
            outcomes[copy.record] = fate(&copy, outcomes[copy.first]);
            if outcomes[copy.record] == Outcome::KeyMismatch {
                let message_id = &records[copy.record].message_id;
                tracing::warn!(message_id, outcome = ?Outcome::KeyMismatch);
            }
        }
        (outcomes, written.first)
    }

    /// On its last receive an order is first written as `failed`: a worker that is killed now leaves a true status. One
    /// after the other, as far as `deadline` allows; the rest is tried without.
    async fn put_failed(&self, orders: &[&Pending], deadline: Instant) {
        for order in orders {
            let id = order.placed.id;
            let put = AssertUnwindSafe(self.table.put_failed(&order.placed)).catch_unwind();
            match timeout_at(deadline, put).await {
                Ok(Ok(Ok(()))) => tracing::warn!(order_id = %id, "its last receive"),
                Ok(Ok(Err(error))) => {
                    tracing::error!(order_id = %id, error, "not written as failed");
                }
                Ok(Err(_)) => tracing::error!(order_id = %id, "not written as failed: panicked"),
                Err(_) => tracing::error!(order_id = %id, "not written as failed: no time is left"),
            }
        }
    }
}

/// What becomes of a record whose id an earlier one has, by what became of that.
fn fate(copy: &Copy, first: Outcome) -> Outcome {
    match first {
        Outcome::Failed(fault) => Outcome::Failed(fault),
        Outcome::Written(_) | Outcome::Redelivered if copy.same => Outcome::Redelivered,
        Outcome::Written(_) | Outcome::Redelivered => Outcome::KeyMismatch,
        Outcome::KeyMismatch if copy.same => Outcome::KeyMismatch,
        // The row is of neither, or of this one: tried by itself it will be known.
        Outcome::KeyMismatch => Outcome::Failed(Fault::Record),
    }
}

#[cfg(test)]
mod tests;
