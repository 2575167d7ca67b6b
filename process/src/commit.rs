//! One group of orders is written, and what DynamoDB refuses is worked through.

use crate::{
    allocate::{Stock, Verdict, allocate, taken},
    backoff,
    group::{Group, Pending},
    table::{Finding, OrderTable, Refusal},
};
use events::text::bounded;
use futures_util::FutureExt;
use std::{collections::BTreeMap, panic::AssertUnwindSafe};
use tokio::time::{Instant, sleep_until, timeout_at};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has its row now.
    Written(Verdict),
    /// It had its row before: a redelivery, or an answer that was lost.
    Redelivered,
    /// Its id has the row of another order: the same idempotency key was used twice.
    KeyMismatch,
    /// It has no row, and is to be tried again.
    Failed(Fault),
}

/// Whose fault it is that an order wasn't written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The record's: others can be written.
    Record,
    /// The table's, or this version's: no wait of the record's own would help it.
    Table,
}

/// Writes the orders of a group, in one transaction if it can be, until each has its outcome or `deadline` is over.
/// Gives the outcomes by the orders' records.
pub async fn commit(
    table: &OrderTable,
    group: Group<'_>,
    deadline: Instant,
) -> Vec<(usize, Outcome)> {
    halve(group, async |group, outcomes| {
        write(table, group, deadline, outcomes).await
    })
    .await
}

/// Writes the orders of a group by `write`; a group that is refused whole is halved, until the orders that are to
/// blame are alone.
async fn halve<'a>(
    group: Group<'a>,
    write: impl AsyncFn(&[&'a Pending], &mut Vec<(usize, Outcome)>) -> Written,
) -> Vec<(usize, Outcome)> {
    let mut outcomes = Vec::with_capacity(group.len());
    let mut waiting = vec![group];
    while let Some(mut group) = waiting.pop() {
        let done = &mut Vec::new();
        let attempts = write(&group, done);
        // A panic is treated as a request that is refused whole: halving finds the order that causes it.
        let written = AssertUnwindSafe(attempts)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                tracing::error!(orders = group.len(), "panicked");
                Written::Malformed
            });
        group.retain(|order| done.iter().all(|(record, _)| *record != order.record));
        outcomes.append(done);
        match written {
            Written::Done => {}
            Written::Malformed if group.len() > 1 => {
                let later = group.split_off(group.len() / 2);
                waiting.extend([later, group]);
            }
            Written::Malformed => outcomes.extend(failed(&group, Fault::Record)),
            Written::Failed(fault) => outcomes.extend(failed(&group, fault)),
        }
    }
    outcomes
}

fn failed(group: &Group<'_>, fault: Fault) -> impl Iterator<Item = (usize, Outcome)> {
    group.iter().map(move |order| {
        tracing::warn!(order_id = %order.placed.id, ?fault, "not written");
        (order.record, Outcome::Failed(fault))
    })
}

/// How far a group came. What isn't among its outcomes is still to be done.
enum Written {
    Done,
    Malformed,
    Failed(Fault),
}

/// Tries to write the group, adding the outcome of each order to `outcomes` as it is known. After each refusal
/// everything is decided anew, by what is known of the stock by then: an order that lost may have lost by what the
/// table said some seconds ago.
async fn write(
    table: &OrderTable,
    group: &[&Pending],
    deadline: Instant,
    outcomes: &mut Vec<(usize, Outcome)>,
) -> Written {
    let mut orders = group.to_vec();
    let mut stock = BTreeMap::new();
    let (mut backoffs, mut fault) = (0, None);
    while !orders.is_empty() {
        if Instant::now() >= deadline {
            // A group that was never tried, because those before it took the time, comes back as soon as they do.
            return Written::Failed(fault.unwrap_or(Fault::Record));
        }
        let placed: Vec<_> = orders.iter().map(|order| &order.placed).collect();
        let wanted: Vec<_> = placed.iter().map(|placed| &placed.order).collect();
        let verdicts = allocate(&wanted, &stock);
        let taken = taken(&wanted, &verdicts);
        let refusal = match timeout_at(deadline, table.commit(&placed, &verdicts, &taken)).await {
            Ok(Ok(())) => {
                let written = orders.iter().zip(verdicts);
                outcomes.extend(
                    written.map(|(order, verdict)| (order.record, Outcome::Written(verdict))),
                );
                return Written::Done;
            }
            Ok(Err(refusal)) => refusal,
            Err(_) => return Written::Failed(fault.unwrap_or(Fault::Table)),
        };
        let throttled = refusal.is_throttling();
        fault = Some(match refusal {
            Refusal::Cancelled(findings) => {
                match work_through(findings, &mut orders, &mut stock, outcomes) {
                    Next::AtOnce => continue,
                    Next::Later(fault) => fault,
                }
            }
            Refusal::Conflict => Fault::Record,
            Refusal::Throttled(error) => {
                tracing::warn!(%error, "throttled");
                Fault::Table
            }
            Refusal::Unavailable(error) => {
                tracing::warn!(%error, "the table is unavailable");
                Fault::Table
            }
            Refusal::Malformed(error) => {
                tracing::warn!(%error, orders = orders.len(), "refused whole");
                return Written::Malformed;
            }
            Refusal::Broken(error) => {
                tracing::error!(%error, "no order can be written");
                return Written::Failed(Fault::Table);
            }
        });
        // The pace has its own wait for a table that throttles.
        if throttled {
            continue;
        }
        let again = Instant::now() + backoff::conflict(backoffs, fastrand::f64());
        backoffs += 1;
        sleep_until(again.min(deadline)).await;
    }
    Written::Done
}

/// When a cancelled transaction is worth another attempt.
enum Next {
    /// Something was learnt, and nothing else was in the way.
    AtOnce,
    /// Something was in the way that passes, or nothing was learnt.
    Later(Fault),
}

/// Works through what stood in a transaction's way: orders that exist are dropped, stock is learnt, what cannot be
/// written fails alone.
fn work_through<'a>(
    findings: Vec<Finding>,
    orders: &mut Vec<&'a Pending>,
    stock: &mut BTreeMap<String, Stock>,
    outcomes: &mut Vec<(usize, Outcome)>,
) -> Next {
    let group: Vec<&'a Pending> = orders.clone();
    let (mut later, mut learnt) = (None, false);
    let mut drop = |dropped: &dyn Fn(&Pending) -> bool, outcome: Outcome| {
        for order in orders.extract_if(.., |order| dropped(order)) {
            outcomes.push((order.record, outcome));
            learnt = true;
        }
    };
    let mut news = Vec::new();
    for finding in findings {
        match finding {
            Finding::Exists(n, fingerprint) => {
                let (record, id) = (group[n].record, group[n].placed.id);
                let same = fingerprint == group[n].placed.fingerprint.as_str();
                let outcome = if same {
                    Outcome::Redelivered
                } else {
                    Outcome::KeyMismatch
                };
                tracing::info!(order_id = %id, ?outcome);
                drop(&|order| order.record == record, outcome);
            }
            Finding::Stock(sku, found) => news.push((sku, found)),
            Finding::Conflict => later = later.or(Some(Fault::Record)),
            Finding::Throttled(error) => {
                tracing::warn!(%error, "throttled");
                later = Some(Fault::Table);
            }
            Finding::Order(n, error) => {
                tracing::warn!(order_id = %group[n].placed.id, %error, "cannot be written");
                drop(
                    &|order| order.record == group[n].record,
                    Outcome::Failed(Fault::Record),
                );
            }
            Finding::Article(sku, error) => {
                tracing::warn!(sku = bounded(&sku), %error, "the article cannot be written");
                let needs = |order: &Pending| {
                    order
                        .placed
                        .order
                        .lines()
                        .iter()
                        .any(|line| line.sku() == sku)
                };
                drop(&needs, Outcome::Failed(Fault::Record));
            }
        }
    }
    for (sku, found) in news {
        learnt |= stock.insert(sku, found) != Some(found);
    }
    match later {
        None if learnt => Next::AtOnce,
        later => Next::Later(later.unwrap_or(Fault::Record)),
    }
}

#[cfg(test)]
mod tests;
