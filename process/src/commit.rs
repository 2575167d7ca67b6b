//! Writes the groups of a batch, one transaction at a time, and retries what DynamoDB refuses.
//!
//! A worker has one transaction in flight, so the table has at most `MaximumConcurrency` writers. A group that conflicts with
//! another worker's transaction waits, while the others go on. If the table throttles or is down, the worker pauses. Every
//! wait ends by the deadline, and nothing is remembered for the next batch.

mod attempt;

use crate::{
    backoff,
    disposition::{Cause, Disposition},
    effects::Effects,
    group::Group,
    records::Record,
    table::OrderTable,
};
use attempt::{Attempt, Job};
use std::collections::VecDeque;
use tokio::time::{Instant, sleep_until};

/// Refusals after which a group lets the others go first: it may be the only one that the table refuses.
const PATIENCE: u32 = 8;

/// The result of a batch.
#[derive(Debug, Default)]
pub struct Committed {
    /// The dispositions of the orders, each with its record.
    pub dispositions: Vec<(Record, Disposition)>,
    /// The time at which the first group was written, if any was.
    pub first_write: Option<Instant>,
}

/// Writes the groups of each chain in sequence, until each order has its disposition or `deadline` has passed.
pub async fn commit(
    table: &OrderTable,
    chains: Vec<Vec<Group<'_>>>,
    deadline: Instant,
    effects: Effects,
) -> Committed {
    let mut work = Work::new(chains);
    while let Some(mut chain) = work.next() {
        let Some(job) = chain.front_mut() else {
            continue;
        };
        let due = job.due.max(Instant::now());
        if due >= deadline {
            work.chains.push_front(chain);
            break;
        }
        sleep_until(due).await;
        let now = (effects.clock)().into();
        let attempt = job.attempt(table, now, deadline).await;
        work.done.dispositions.append(&mut job.dispositions);
        if let Attempt::Refused(cause) = attempt {
            work.put_back_refused(chain, cause);
            let rest = Instant::now() + backoff::again(work.refusals, (effects.chance)());
            work.refusals += 1;
            sleep_until(rest.min(deadline)).await;
        } else {
            work.refusals = 0;
            work.put_back(chain, &attempt, (effects.chance)());
        }
    }
    work.end()
}

/// Groups that are written in sequence.
type Chain<'a> = VecDeque<Job<'a>>;

/// The remaining work of a batch.
struct Work<'a> {
    chains: VecDeque<Chain<'a>>,
    done: Committed,
    /// The number of groups written.
    written: usize,
    /// How often in a row the table has refused any group.
    refusals: u32,
}

impl<'a> Work<'a> {
    fn new(chains: Vec<Vec<Group<'a>>>) -> Self {
        let chain = |chain: Vec<_>| chain.into_iter().map(Job::new).collect();
        Self {
            chains: chains.into_iter().map(chain).collect(),
            done: Committed::default(),
            written: 0,
            refusals: 0,
        }
    }

    /// Removes the first chain that is due, or else the one that will be due soonest.
    fn next(&mut self) -> Option<Chain<'a>> {
        let now = Instant::now();
        let due = |chain: &Chain| chain.front().map_or(now, |job| job.due);
        let first = self.chains.iter().position(|chain| due(chain) <= now);
        let soonest = || (0..self.chains.len()).min_by_key(|n| due(&self.chains[*n]));
        self.chains.remove(first.or_else(soonest)?)
    }

    /// Puts a chain back after the table refused its first group.
    fn put_back_refused(&mut self, mut chain: Chain<'a>, cause: Cause) {
        let Some(job) = chain.front_mut() else {
            return;
        };
        job.cause = cause;
        let refused = &mut job.refused;
        if refused.times == 0 {
            refused.written_before = self.written;
        }
        refused.times += 1;
        if !refused.times.is_multiple_of(PATIENCE) {
            return self.chains.push_front(chain);
        }
        let others_go_on = refused.is_partial && self.written > refused.written_before;
        if let Some(throttled) = job.split_throttled() {
            // Orders for a throttled key wait behind all others.
            chain.push_back(throttled);
        } else if others_go_on && job.refused.times >= 4 * PATIENCE {
            // Only this group is refused: it must not keep the worker from other batches.
            self.done.dispositions.extend(job.retry(Cause::Table));
            chain.pop_front();
        }
        self.chains.push_back(chain);
    }

    /// Puts a chain back after any other result of its first group.
    fn put_back(&mut self, mut chain: Chain<'a>, attempt: &Attempt, chance: f64) {
        let Some(job) = chain.front_mut() else {
            return;
        };
        match attempt {
            Attempt::Done => {
                self.written += 1;
                self.done.first_write.get_or_insert_with(Instant::now);
                chain.pop_front();
            }
            Attempt::Learnt | Attempt::Refused(_) => {}
            Attempt::Conflict => {
                job.cause = Cause::Record;
                job.due = Instant::now() + backoff::again(job.conflicts, chance);
                job.conflicts += 1;
            }
            // Bisect until the orders at fault are alone.
            Attempt::Malformed if job.orders.len() > 1 => {
                let later = job.orders.split_off(job.orders.len() / 2);
                chain.insert(1, Job::new(later));
            }
            Attempt::Malformed => {
                self.done.dispositions.extend(job.retry(Cause::Record));
                chain.pop_front();
            }
            Attempt::Broken => {
                self.done.dispositions.extend(job.retry(Cause::Table));
                chain.pop_front();
            }
        }
        self.chains.push_front(chain);
    }

    /// Gives up on the remaining orders.
    fn end(mut self) -> Committed {
        for job in self.chains.iter().flatten() {
            self.done.dispositions.extend(job.retry(job.cause));
        }
        self.done
    }
}

#[cfg(test)]
mod tests;
