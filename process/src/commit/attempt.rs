//! One attempt to write a group, and what is learnt when it is refused.

use super::{Fault, Outcome};
use crate::{
    allocate::{Stock, allocate, taken},
    group::{Group, Pending},
    table::{Finding, OrderTable, Refusal},
};
use events::text::bounded;
use futures_util::FutureExt;
use std::{collections::BTreeMap, panic::AssertUnwindSafe};
use tokio::time::{Instant, timeout_at};

/// A group on its way into the table.
pub struct Job<'a> {
    /// The orders that have no outcome yet.
    pub orders: Group<'a>,
    /// When it may be tried.
    pub due: Instant,
    /// Its conflicts so far.
    pub conflicts: u32,
    /// The table's refusals of it so far.
    pub refusals: u32,
    /// The table throttled only some of its items when it was last tried.
    pub is_alone: bool,
    /// The groups that had been written when the table refused it first.
    pub written_before: usize,
    /// Its orders fail with this when the time is over.
    pub fault: Fault,
    /// The stock, as far as the table has told it.
    stock: BTreeMap<String, Stock>,
    /// Articles that the table throttled when it was last tried.
    throttled: Vec<String>,
}

/// The result of an attempt. The orders that got an outcome are no longer in the group.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Every order has its outcome.
    Done,
    /// Something was learnt, and nothing else was in the way: it can be tried at once.
    Learnt,
    /// Another transaction was in the way.
    Conflict,
    /// The table had too much to do, or gave no answer.
    Refused(Fault),
    /// Something in the request is wrong; smaller ones can tell what.
    Malformed,
    /// No order can be written.
    Broken,
}

impl<'a> Job<'a> {
    /// A group that wasn't tried.
    pub fn new(orders: Group<'a>) -> Job<'a> {
        Job {
            orders,
            due: Instant::now(),
            conflicts: 0,
            refusals: 0,
            is_alone: false,
            written_before: 0,
            fault: Fault::Busy,
            stock: BTreeMap::new(),
            throttled: Vec::new(),
        }
    }

    /// Takes the orders out that want a throttled article, if there are others.
    pub fn split_throttled(&mut self) -> Option<Job<'a>> {
        let is_throttled = |order: &&Pending| self.throttled.iter().any(|sku| wants(order, sku));
        let (throttled, others): (Vec<_>, Vec<_>) =
            self.orders.iter().copied().partition(is_throttled);
        if throttled.is_empty() || others.is_empty() {
            return None;
        }
        self.orders = others;
        Some(Job {
            refusals: self.refusals,
            written_before: self.written_before,
            ..Job::new(throttled)
        })
    }

    /// The outcomes of orders that aren't written.
    pub fn failed(&self, fault: Fault) -> impl Iterator<Item = (usize, Outcome)> {
        self.orders.iter().map(move |order| {
            tracing::warn!(order_id = %order.placed.id, ?fault, "not written");
            (order.record, Outcome::Failed(fault))
        })
    }

    /// Tries to write the group, once, and adds the outcomes that become known. Everything is decided by what is known
    /// of the stock by now: an order that lost may have lost by what the table said some seconds ago.
    pub async fn attempt(
        &mut self,
        table: &OrderTable,
        deadline: Instant,
        outcomes: &mut Vec<(usize, Outcome)>,
    ) -> Attempt {
        let known = outcomes.len();
        self.is_alone = false;
        let attempt = AssertUnwindSafe(self.write(table, deadline, outcomes)).catch_unwind();
        // A panic is treated as a request that is refused whole: halving finds the order that causes it.
        let attempt = attempt.await.unwrap_or_else(|_| {
            tracing::error!(orders = self.orders.len(), "panicked");
            Attempt::Malformed
        });
        let done = &outcomes[known..];
        self.orders
            .retain(|order| done.iter().all(|(record, _)| *record != order.record));
        if self.orders.is_empty() {
            Attempt::Done
        } else {
            attempt
        }
    }

    async fn write(
        &mut self,
        table: &OrderTable,
        deadline: Instant,
        outcomes: &mut Vec<(usize, Outcome)>,
    ) -> Attempt {
        let placed: Vec<_> = self.orders.iter().map(|order| &order.placed).collect();
        let wanted: Vec<_> = placed.iter().map(|placed| &placed.order).collect();
        let verdicts = allocate(&wanted, &self.stock);
        let taken = taken(&wanted, &verdicts);
        let refusal = match timeout_at(deadline, table.commit(&placed, &verdicts, &taken)).await {
            Ok(Ok(())) => {
                let written = self.orders.iter().zip(verdicts);
                outcomes.extend(
                    written.map(|(order, verdict)| (order.record, Outcome::Written(verdict))),
                );
                return Attempt::Done;
            }
            Ok(Err(refusal)) => refusal,
            // It may be written all the same, which its next receive will tell.
            Err(_) => return Attempt::Refused(self.fault),
        };
        match refusal {
            Refusal::Cancelled(findings) => {
                let actions = placed.len() + taken.len();
                self.work_through(findings, actions, outcomes)
            }
            Refusal::Conflict => Attempt::Conflict,
            Refusal::Throttled(error) => {
                tracing::warn!(%error, "throttled");
                Attempt::Refused(Fault::Busy)
            }
            Refusal::Unavailable(error) => {
                tracing::warn!(%error, "the table is unavailable");
                Attempt::Refused(Fault::Table)
            }
            Refusal::Malformed(error) => {
                tracing::warn!(%error, orders = self.orders.len(), "refused whole");
                Attempt::Malformed
            }
            Refusal::Broken(error) => {
                tracing::error!(%error, "no order can be written");
                Attempt::Broken
            }
        }
    }

    /// Works through what stood in a transaction's way: orders that exist get their outcome, stock is learnt, what
    /// cannot be written fails alone.
    fn work_through(
        &mut self,
        findings: Vec<Finding>,
        actions: usize,
        outcomes: &mut Vec<(usize, Outcome)>,
    ) -> Attempt {
        let known = outcomes.len();
        let (mut conflict, mut throttled, mut learnt) = (false, 0, false);
        self.throttled.clear();
        for finding in findings {
            match finding {
                Finding::Exists(n, fingerprint) => {
                    let order = self.orders[n];
                    let outcome = if fingerprint == order.placed.fingerprint.as_str() {
                        Outcome::Redelivered
                    } else {
                        Outcome::KeyMismatch
                    };
                    tracing::info!(order_id = %order.placed.id, ?outcome);
                    outcomes.push((order.record, outcome));
                }
                Finding::Stock(sku, found) => {
                    learnt |= self.stock.insert(sku, found) != Some(found);
                }
                Finding::Conflict => conflict = true,
                Finding::Throttled(sku, error) => {
                    tracing::warn!(sku = sku.as_deref().map(bounded), %error, "throttled");
                    throttled += 1;
                    self.throttled.extend(sku);
                }
                Finding::Order(n, error) => {
                    let order = self.orders[n];
                    tracing::warn!(order_id = %order.placed.id, %error, "cannot be written");
                    outcomes.push((order.record, Outcome::Failed(Fault::Record)));
                }
                Finding::Article(sku, error) => {
                    tracing::warn!(sku = bounded(&sku), %error, "the article cannot be written");
                    let needs = |order: &&&Pending| wants(order, &sku);
                    let failed = Outcome::Failed(Fault::Record);
                    let needing = self.orders.iter().filter(needs);
                    outcomes.extend(needing.map(|order| (order.record, failed)));
                }
            }
        }
        learnt |= outcomes.len() > known;
        self.is_alone = throttled < actions;
        match (throttled, conflict) {
            (1.., _) => Attempt::Refused(Fault::Busy),
            (0, false) if learnt => Attempt::Learnt,
            // Another transaction is in the way, or nothing was learnt.
            _ => Attempt::Conflict,
        }
    }
}

fn wants(order: &Pending, sku: &str) -> bool {
    let mut lines = order.placed.order.lines().iter();
    lines.any(|line| line.sku() == sku)
}
