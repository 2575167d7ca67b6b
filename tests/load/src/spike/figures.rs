//! Computes the figures of a run.

use super::{
    Options,
    run::{Reply, Run},
    table::Fate,
};
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug)]
pub struct Figures {
    /// Orders that were sent in the spike and answered with a success.
    pub accepted: usize,
    /// Other orders by their answer: `503`, or `no answer`.
    pub refused: BTreeMap<String, usize>,
    /// Response times in the calm.
    pub calm: Times,
    /// Response times in the spike, of successes and of refusals alike.
    pub spike: Times,
    /// Writes that the table accepted.
    pub taken: usize,
    /// Items in those writes, orders and articles.
    pub items: u64,
    /// Writes that the table throttled.
    pub throttled: usize,
    /// Writes in conflict with another transaction.
    pub conflicts: usize,
    /// Write units of the accepted writes.
    pub units: u64,
    pub written: usize,
    /// Maximum number of orders that waited for their outcome at a time.
    pub peak_waiting: usize,
    /// Orders that waited when the spike ended.
    pub backlog: usize,
    /// Time from the end of the spike until no order waited.
    pub drain: Duration,
    /// Orders per second, from the start of the spike until no order waited.
    pub rate: f64,
    /// Orders per second that the write latency, the table's write units and the cap on workers, if any, allow.
    pub capacity: f64,
    /// The polls for outcomes, if any client polled.
    pub polls: Option<Polls>,
}

/// The polls of a run.
#[derive(Debug)]
pub struct Polls {
    /// Requests per order.
    pub an_order: f64,
    /// Requests in the busiest second.
    pub most: usize,
    /// Orders in the second in which the most were sent.
    pub most_orders: usize,
    /// Requests that got no status.
    pub failed: usize,
    /// The time from an order's row until its client read the outcome.
    pub late: Times,
    /// The same for orders that waited for more than ten seconds, ÷ their own wait.
    pub share: Times,
    /// The time from sending an order of the calm until its client read the outcome.
    pub calm: Times,
}

/// Response times, sorted.
#[derive(Debug)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Collects the response times of these answers.
    pub fn new(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.collect();
        times.sort_unstable();
        Self(times)
    }

    /// The time within which this share of the answers arrived, by the nearest rank; zero without answers.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.max(1) - 1).copied().unwrap_or_default()
    }
}

impl Figures {
    #[expect(clippy::cast_precision_loss)]
    pub fn of(options: &Options, run: &Run) -> Self {
        let (begin, end) = (options.begin(), options.end());
        let in_spike = || run.answers.iter().filter(|answer| answer.due >= begin);
        let mut refused = BTreeMap::new();
        for answer in in_spike() {
            let kind = match &answer.reply {
                Reply::Accepted(_) => continue,
                Reply::Refused(status) => status.to_string(),
                Reply::Nothing => "no answer".to_owned(),
            };
            *refused.entry(kind).or_default() += 1;
        }
        let with = |fate| {
            run.attempts
                .iter()
                .filter(move |attempt| attempt.fate == fate)
        };
        let units = with(Fate::Taken).map(|attempt| attempt.units).sum();
        let drained = run.drained();
        let since_begin = |written: &&Duration| **written >= begin;
        let written = run.written.values().filter(since_begin).count();
        let units_an_order = units as f64 / run.written.len().max(1) as f64;
        let by_table = f64::from(options.write_units) / units_an_order;
        let batches = 1000.0 / options.write_latency.max(1) as f64;
        let by_cap = run
            .at_once
            .map_or(f64::INFINITY, |orders| f64::from(orders) * batches);
        Self {
            accepted: in_spike().filter(|answer| answer.id().is_some()).count(),
            refused,
            calm: Times::new(
                run.answers
                    .iter()
                    .filter(|answer| answer.due < begin)
                    .map(|answer| answer.latency),
            ),
            spike: Times::new(in_spike().map(|answer| answer.latency)),
            taken: with(Fate::Taken).count(),
            items: with(Fate::Taken)
                .map(|attempt| u64::from(attempt.items))
                .sum(),
            throttled: with(Fate::Throttled).count(),
            conflicts: with(Fate::Conflict).count(),
            units,
            written: run.written.len(),
            peak_waiting: peak(run),
            backlog: waiting(run, end),
            drain: drained.saturating_sub(end),
            rate: written as f64
                / drained
                    .saturating_sub(begin)
                    .as_secs_f64()
                    .max(f64::EPSILON),
            capacity: by_table.min(by_cap),
            polls: (!run.followed.is_empty()).then(|| Polls::of(begin, run)),
        }
    }

    /// The share of attempts that were throttled or in conflict.
    #[expect(clippy::cast_precision_loss)]
    pub fn in_vain(&self) -> f64 {
        let vain = self.throttled + self.conflicts;
        vain as f64 / (vain + self.taken).max(1) as f64
    }
}

impl Polls {
    #[expect(clippy::cast_precision_loss)]
    fn of(begin: Duration, run: &Run) -> Self {
        let asked = || run.followed.values().flat_map(|polls| &polls.asked);
        // Each order's due time, the time of its row, and the time when its client read the outcome.
        let known = || {
            run.answers.iter().filter_map(|answer| {
                let id = answer.id()?;
                let known = run.followed.get(id)?.known?;
                Some((answer.due, *run.written.get(id)?, known))
            })
        };
        let late =
            |(_, written, known): (Duration, Duration, Duration)| known.saturating_sub(written);
        let share = |order: (Duration, Duration, Duration)| {
            let waited = order.1.saturating_sub(order.0);
            let long = waited > Duration::from_secs(10);
            long.then(|| late(order).div_f64(waited.as_secs_f64()))
        };
        Self {
            an_order: asked().count() as f64 / run.followed.len().max(1) as f64,
            most: most(asked().copied()),
            most_orders: most(run.answers.iter().map(|answer| answer.due)),
            failed: run.followed.values().map(|polls| polls.failed).sum(),
            late: Times::new(known().map(late)),
            share: Times::new(known().filter_map(share)),
            calm: Times::new(
                known()
                    .filter(|(due, ..)| *due < begin)
                    .map(|(due, _, known)| known.saturating_sub(due)),
            ),
        }
    }
}

/// The number of these times in the second that has the most.
fn most(times: impl Iterator<Item = Duration>) -> usize {
    let mut seconds = BTreeMap::<u64, usize>::new();
    for time in times {
        *seconds.entry(time.as_secs()).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or_default()
}

/// Counts the orders that were due at `at` and had no outcome.
pub fn waiting(run: &Run, at: Duration) -> usize {
    let waits = |answer: &&super::run::Answer| answer.due <= at && run.settled(answer) > at;
    run.answers.iter().filter(waits).count()
}

fn peak(run: &Run) -> usize {
    let came = run.answers.iter().map(|answer| (answer.due, 1));
    let went = run
        .answers
        .iter()
        .map(|answer| (run.settled(answer).max(answer.due), -1));
    let mut changes: Vec<(Duration, isize)> = came.chain(went).collect();
    changes.sort_unstable();
    let mut now = 0;
    let counts = changes.into_iter().map(|(_, change)| {
        now += change;
        now
    });
    counts.max().unwrap_or(0).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        let times = Times::new((1..=1000).rev().map(Duration::from_millis));
        for (share, expected) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000), (0.0, 1)] {
            assert_eq!(times.quantile(share), Duration::from_millis(expected));
        }
        assert_eq!(Times::new([].into_iter()).quantile(0.99), Duration::ZERO);
    }
}
