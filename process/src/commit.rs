//! The groups of a batch are written, one transaction at a time, and what DynamoDB refuses is tried again.
//!
//! A worker has one transaction on its way, so that the table has at most `MaximumConcurrency` writers. A group that
//! meets another worker's transaction waits, and the others go on meanwhile. A table that throttles or is down makes
//! the worker rest. Every wait ends with the deadline, and the next batch knows nothing of it.

mod attempt;

use crate::{allocate::Verdict, backoff, group::Group, table::OrderTable};
use attempt::{Attempt, Job};
use std::collections::VecDeque;
use tokio::time::{Instant, sleep_until};

/// A group that the table refused so often in a row lets the others go first: it may be the only one that is refused.
const PATIENCE: u32 = 8;

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
    /// Nobody's: the table had more to do than the invocation had time for.
    Busy,
}

/// The outcomes of a batch.
#[derive(Debug, Default)]
pub struct Committed {
    /// Each with its order's record.
    pub outcomes: Vec<(usize, Outcome)>,
    /// When the first group was done, if one was.
    pub first: Option<Instant>,
}

/// Groups that are written one after the other.
type Chain<'a> = VecDeque<Job<'a>>;

/// Writes the groups of each chain one after the other, until each order has its outcome or `deadline` is over.
/// `chance` is from 0 to 1.
pub async fn commit(
    table: &OrderTable,
    chains: Vec<Vec<Group<'_>>>,
    deadline: Instant,
    chance: fn() -> f64,
) -> Committed {
    let chains = chains.into_iter();
    let mut chains: VecDeque<Chain> = chains
        .map(|chain| chain.into_iter().map(Job::new).collect())
        .collect();
    let mut outcomes = Vec::new();
    let mut first = None;
    // The table's refusals in a row, whatever it was asked.
    let mut refusals = 0;
    let mut written = 0;
    while let Some(mut chain) = next(&mut chains) {
        let Some(job) = chain.front_mut() else {
            continue;
        };
        let due = job.due.max(Instant::now());
        if due >= deadline {
            chains.push_front(chain);
            break;
        }
        sleep_until(due).await;
        let attempt = job.attempt(table, deadline, &mut outcomes).await;
        if let Attempt::Refused(fault) = attempt {
            if job.refusals == 0 {
                job.written_before = written;
            }
            job.fault = fault;
            job.refusals += 1;
            if !job.refusals.is_multiple_of(PATIENCE) {
                chains.push_front(chain);
            } else if let Some(throttled) = job.split_throttled() {
                // Orders of a throttled article wait behind all others.
                chain.push_back(throttled);
                chains.push_back(chain);
            } else if job.is_alone && job.refusals >= 4 * PATIENCE && written > job.written_before {
                // It alone is refused: it must not keep the worker from other batches.
                outcomes.extend(job.failed(Fault::Table));
                chain.pop_front();
                chains.push_back(chain);
            } else {
                chains.push_back(chain);
            }
            let rest = Instant::now() + backoff::again(refusals, chance());
            refusals += 1;
            sleep_until(rest.min(deadline)).await;
            continue;
        }
        refusals = 0;
        match attempt {
            Attempt::Conflict => {
                job.fault = Fault::Record;
                job.due = Instant::now() + backoff::again(job.conflicts, chance());
                job.conflicts += 1;
            }
            Attempt::Learnt | Attempt::Refused(_) => {}
            Attempt::Done => {
                written += 1;
                first.get_or_insert_with(Instant::now);
                chain.pop_front();
            }
            // The orders that are to blame end up alone.
            Attempt::Malformed if job.orders.len() > 1 => {
                let later = job.orders.split_off(job.orders.len() / 2);
                chain.insert(1, Job::new(later));
            }
            Attempt::Malformed => {
                outcomes.extend(job.failed(Fault::Record));
                chain.pop_front();
            }
            Attempt::Broken => {
                outcomes.extend(job.failed(Fault::Table));
                chain.pop_front();
            }
        }
        chains.push_front(chain);
    }
    for job in chains.iter().flatten() {
        outcomes.extend(job.failed(job.fault));
    }
    Committed { outcomes, first }
}

/// Takes the first chain that is due, or the one that will be due first.
fn next<'a>(chains: &mut VecDeque<Chain<'a>>) -> Option<Chain<'a>> {
    let now = Instant::now();
    let due = |chain: &Chain| chain.front().map_or(now, |job| job.due);
    let first = chains.iter().position(|chain| due(chain) <= now);
    let soonest = || (0..chains.len()).min_by_key(|n| due(&chains[*n]));
    chains.remove(first.or_else(soonest)?)
}

#[cfg(test)]
mod tests;
