//! Tries to write a group once, and learns from a refusal.

use crate::{
    disposition::{Cause, Disposition, Settled},
    group::Group,
    records::{Pending, Record},
    stock::Known,
    table::{Finding, OrderTable, Refusal},
    transaction::Transaction,
};
use events::{Timestamp, text::bounded};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio::time::{Instant, timeout_at};

/// A group to be written.
pub struct Job<'a> {
    /// The orders that have no disposition yet.
    pub orders: Group<'a>,
    /// The dispositions that became known, by their orders' records. The caller takes them out.
    pub dispositions: Vec<(Record, Disposition)>,
    /// The earliest time of the next attempt.
    pub due: Instant,
    /// The number of conflicts so far.
    pub conflicts: u32,
    /// The table's refusals of this group.
    pub refused: Refused<'a>,
    /// Why its orders are given up if time runs out.
    pub cause: Cause,
    /// What the table has reported of the keys that the orders claim.
    known: Known,
}

/// The table's refusals of a group.
#[derive(Default)]
pub struct Refused<'a> {
    /// How often the table has refused the group.
    pub times: u32,
    /// The number of groups that were written before the first refusal.
    pub written_before: usize,
    /// Whether the last refusal throttled some of the items, but not all.
    pub is_partial: bool,
    /// The keys that the last refusal throttled.
    keys: Vec<&'a str>,
}

/// The result of an attempt. Orders that got a disposition have left the group.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Every order has its disposition.
    Done,
    /// The table reported something new, and nothing else was in the way: the group can be tried again at once.
    Learnt,
    /// Another transaction was in the way.
    Conflict,
    /// The table was overloaded or did not answer.
    Refused(Cause),
    /// DynamoDB rejected the transaction as a whole; smaller ones can show why.
    Malformed,
    /// DynamoDB can't write any order.
    Broken,
}

impl<'a> Job<'a> {
    /// Creates a group that wasn't tried yet.
    pub fn new(orders: Group<'a>) -> Self {
        Self {
            orders,
            dispositions: Vec::new(),
            due: Instant::now(),
            conflicts: 0,
            refused: Refused::default(),
            cause: Cause::Busy,
            known: Known::new(),
        }
    }

    /// Splits off the orders for throttled keys, if there are others.
    pub fn split_throttled(&mut self) -> Option<Self> {
        let keys = &self.refused.keys;
        let is_throttled = |order: &&Pending| {
            let claims = order.placed.order().claims();
            keys.iter().any(|key| claims.contains_key(key))
        };
        let (throttled, others): (Vec<_>, Vec<_>) =
            self.orders.iter().copied().partition(is_throttled);
        if throttled.is_empty() || others.is_empty() {
            return None;
        }
        self.orders = others;
        let mut job = Self::new(throttled);
        job.refused.times = self.refused.times;
        job.refused.written_before = self.refused.written_before;
        Some(job)
    }

    /// Gives up on the group's orders.
    pub fn retry(&self, cause: Cause) -> impl Iterator<Item = (Record, Disposition)> {
        self.orders.iter().map(move |order| {
            tracing::warn!(order_id = %order.placed.id(), ?cause, "gave up on an order in this batch");
            (order.record, Disposition::Retry(cause))
        })
    }

    /// Tries to write the group once, and settles the orders whose disposition becomes known. All outcomes follow from
    /// what is known now: an order may be rejected by what the table reported some seconds ago.
    pub async fn attempt(
        &mut self,
        table: &OrderTable,
        now: Timestamp,
        deadline: Instant,
    ) -> Attempt {
        self.refused.is_partial = false;
        let write = AssertUnwindSafe(self.write(table, now, deadline));
        // A panic counts as a transaction that is rejected as a whole: bisecting finds the order that causes it.
        let attempt = write.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(orders = self.orders.len(), "writing a transaction panicked");
            Attempt::Malformed
        });
        let known = &self.dispositions;
        let is_open = |order: &&Pending| known.iter().all(|(record, _)| *record != order.record);
        self.orders.retain(is_open);
        if self.orders.is_empty() {
            Attempt::Done
        } else {
            attempt
        }
    }

    async fn write(&mut self, table: &OrderTable, now: Timestamp, deadline: Instant) -> Attempt {
        let transaction = Transaction::decide(&self.orders, &self.known);
        let refusal = match timeout_at(deadline, table.write(&transaction, now)).await {
            Ok(Ok(())) => {
                let stored = transaction.orders.into_iter().map(|(order, outcome)| {
                    let settled = Settled {
                        outcome,
                        placed_at: order.placed.placed_at(),
                        processed_at: now,
                    };
                    (order.record, Disposition::Stored(settled))
                });
                self.dispositions.extend(stored);
                return Attempt::Done;
            }
            Ok(Err(refusal)) => refusal,
            // It may have been written: the next delivery will show.
            Err(_) => return Attempt::Refused(self.cause),
        };
        let orders = self.orders.len();
        match refusal {
            Refusal::Cancelled(findings) => self.work_through(findings, transaction.actions()),
            Refusal::Conflict => Attempt::Conflict,
            Refusal::Throttled(error) => {
                tracing::warn!(%error, orders, "the table throttled a transaction");
                Attempt::Refused(Cause::Busy)
            }
            Refusal::Unavailable(error) => {
                tracing::warn!(%error, orders, "the table is unavailable");
                Attempt::Refused(Cause::Table)
            }
            Refusal::Malformed(error) => {
                tracing::warn!(%error, orders, "transaction rejected as a whole; bisecting");
                Attempt::Malformed
            }
            Refusal::Broken(error) => {
                tracing::error!(%error, orders, "table missing or access denied");
                Attempt::Broken
            }
        }
    }

    /// Evaluates the findings of a cancelled transaction: orders that have a row get their disposition, keys become known,
    /// and what can't be written fails alone.
    fn work_through(&mut self, findings: Vec<Finding<'a>>, actions: usize) -> Attempt {
        let before = self.dispositions.len();
        let (mut conflict, mut throttled, mut learnt) = (false, 0, false);
        self.refused.keys.clear();
        for finding in findings {
            match finding {
                Finding::StoredBefore(order, settled) => {
                    tracing::info!(order_id = %order.placed.id(), "the order was stored before");
                    let disposition =
                        settled.map_or(Disposition::UnknownOutcome, Disposition::StoredBefore);
                    self.dispositions.push((order.record, disposition));
                }
                Finding::KeyMismatch(order, owner) => {
                    self.dispositions
                        .push((order.record, Disposition::KeyMismatch(owner)));
                }
                Finding::Learnt(key, found) => {
                    learnt |= self.known.insert(key.to_owned(), found) != Some(found);
                }
                Finding::Conflict => conflict = true,
                Finding::Throttled(key, error) => {
                    tracing::warn!(claimed_key = key.map(bounded), %error, "the table throttled an item");
                    throttled += 1;
                    self.refused.keys.extend(key);
                }
                Finding::Order(order, error) => {
                    let order_id = order.placed.id();
                    tracing::warn!(%order_id, %error, "the order can't be written");
                    self.dispositions
                        .push((order.record, Disposition::Retry(Cause::Record)));
                }
                Finding::Key(key, error) => {
                    tracing::warn!(claimed_key = bounded(key), %error, "the row of a key can't be written");
                    let claims =
                        |order: &&&Pending| order.placed.order().claims().contains_key(key);
                    let claimants = self.orders.iter().filter(claims);
                    let retry =
                        |order: &&Pending| (order.record, Disposition::Retry(Cause::Record));
                    self.dispositions.extend(claimants.map(retry));
                }
            }
        }
        learnt |= self.dispositions.len() > before;
        self.refused.is_partial = throttled < actions;
        match (throttled, conflict) {
            (1.., _) => Attempt::Refused(Cause::Busy),
            (0, false) if learnt => Attempt::Learnt,
            // Another transaction is in the way, or the table reported nothing new.
            _ => Attempt::Conflict,
        }
    }
}

#[cfg(test)]
mod tests;
