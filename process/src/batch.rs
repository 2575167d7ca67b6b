//! An SQS batch comes in, its failures go out: each record is answered on its own.

use crate::{
    backoff::redelivery,
    commit::{Fault, Outcome, commit},
    group::{Pending, chain, pack},
    records::{Copy, Distinct, read_batch, receives},
    table::OrderTable,
    tally::Tally,
    visibility::RetryQueue,
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use std::time::{Duration, SystemTime};
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
        let outcomes = self.settle(&event.records, end - RESERVE).await;
        let mut response = SqsBatchResponse::default();
        let mut put_off = Vec::new();
        let mut tally = Tally::default();
        for (record, outcome) in event.records.into_iter().zip(outcomes) {
            tally.count(outcome);
            let Outcome::Failed(fault) = outcome else {
                continue;
            };
            if let (Fault::Record, Some(receipt_handle)) = (fault, &record.receipt_handle) {
                let delay = redelivery(self.retry_base, receives(&record), fastrand::f64());
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
        println!("{}", tally.to_json(SystemTime::now()));
        Ok(response)
    }

    /// The outcome of each record, by `deadline`.
    async fn settle(&self, records: &[SqsMessage], deadline: Instant) -> Vec<Outcome> {
        // What nobody says anything else about has failed.
        let mut outcomes = vec![Outcome::Failed(Fault::Record); records.len()];
        let Distinct { first, copies } = read_batch(records);

        let last_receive = |order: &&Pending| {
            let copies = copies.iter().filter(|copy| copy.first == order.record);
            let mut all = copies.map(|copy| copy.record).chain([order.record]);
            all.any(|record| receives(&records[record]) >= self.max_receives)
        };
        let (last, others): (Vec<_>, Vec<_>) = first.iter().partition(last_receive);
        self.put_failed(&last, deadline).await;
        let mut groups: Vec<_> = last.into_iter().map(|order| vec![order]).collect();
        groups.extend(pack(others));

        let chains = chain(groups).into_iter().map(|chain| async {
            let mut outcomes = Vec::new();
            for group in chain {
                outcomes.extend(commit(&self.table, group, deadline).await);
            }
            outcomes
        });
        for (record, outcome) in join_all(chains).await.into_iter().flatten() {
            outcomes[record] = outcome;
        }
        for Copy {
            record,
            first,
            same,
        } in copies
        {
            outcomes[record] = match outcomes[first] {
                Outcome::Failed(fault) => Outcome::Failed(fault),
                Outcome::KeyMismatch if same => Outcome::KeyMismatch,
                // The row is neither's of these two for certain: it may be this one's. Alone, it will be known.
                Outcome::KeyMismatch => Outcome::Failed(Fault::Record),
                _ if same => Outcome::Redelivered,
                _ => Outcome::KeyMismatch,
            };
            tracing::info!(message_id = records[record].message_id, outcome = ?outcomes[record], "copy");
        }
        outcomes
    }

    /// On its last receive an order is first written as `failed`: a worker that is killed now leaves a true status.
    async fn put_failed(&self, orders: &[&Pending], deadline: Instant) {
        join_all(orders.iter().map(|order| async {
            let id = order.placed.id;
            match timeout_at(deadline, self.table.put_failed(&order.placed)).await {
                Ok(Ok(())) => tracing::warn!(order_id = %id, "its last receive"),
                Ok(Err(error)) => tracing::error!(order_id = %id, %error, "not written as failed"),
                Err(_) => tracing::error!(order_id = %id, "not written as failed: no time is left"),
            }
        }))
        .await;
    }
}
