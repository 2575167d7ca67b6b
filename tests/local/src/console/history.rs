//! The last two minutes, one sample per second. Samples are taken while a page is open, and for a minute after.

use super::{Console, counts::Totals};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval};

/// Seconds that are kept.
pub const SECONDS: usize = 120;
/// Sampling continues for this long after the last reading: without script, a reading is a page load.
const PATIENCE: Duration = Duration::from_mins(1);

/// The samples, and whether they are wanted.
#[derive(Debug, Default)]
pub struct History {
    /// The newest last; `None` for a second without a reading.
    samples: VecDeque<Option<Sample>>,
    sampled: Option<(Instant, Totals)>,
    /// The current gauges.
    gauges: Gauges,
    looked: Option<Instant>,
    is_sampling: bool,
}

/// One second. Counts are per second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    pub accepted: f64,
    pub written: f64,
    pub asked: f64,
    pub throttled: f64,
    pub conflicts: f64,
    /// Response times in milliseconds, if any.
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub gauges: Gauges,
}

/// The messages on the queues, and the busy workers, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    pub waiting: u64,
    pub in_flight: u64,
    pub dead: u64,
    pub busy: usize,
}

impl History {
    /// The seconds, newest last.
    pub fn samples(&self) -> Vec<Option<Sample>> {
        let missing = SECONDS - self.samples.len();
        let none = std::iter::repeat_n(None, missing);
        none.chain(self.samples.iter().cloned()).collect()
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<Sample> {
        self.samples.back().cloned().flatten()
    }

    /// The newest gauges: at most a second old while a page is open.
    pub fn gauges(&self) -> Gauges {
        self.gauges
    }

    fn push(&mut self, now: Instant, totals: Totals, gauges: Gauges) {
        if let Some((before, earlier)) = &self.sampled {
            let passed = now.duration_since(*before).as_secs_f64();
            let seen = totals.since(earlier);
            #[expect(clippy::cast_precision_loss)]
            let rate = |count: u64| count as f64 / passed;
            // After a break there is only a mean over it, not a second's value.
            let is_second = passed < 2.0;
            let sample = is_second.then(|| Sample {
                accepted: rate(seen.accepted),
                written: rate(seen.written),
                asked: rate(seen.asked),
                throttled: rate(seen.throttled),
                conflicts: rate(seen.conflicts),
                p50: seen.quantile(0.5),
                p99: seen.quantile(0.99),
                gauges,
            });
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let missed = passed as usize;
            for _ in 1..missed.min(SECONDS) {
                self.samples.push_back(None);
            }
            self.samples.push_back(sample);
            let surplus = self.samples.len().saturating_sub(SECONDS);
            self.samples.drain(..surplus);
        }
        self.sampled = Some((now, totals));
        self.gauges = gauges;
    }
}

impl Console {
    /// Records that a page is open; samples are taken from now on.
    pub(super) fn look(self: &Arc<Self>) {
        let mut history = self.history();
        history.looked = Some(Instant::now());
        if history.is_sampling {
            return;
        }
        history.is_sampling = true;
        drop(history);
        self.sample();
        let console = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(1));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(console) = console.upgrade() else {
                    return;
                };
                console.sample();
                let mut history = console.history();
                let is_looked_at = history.looked.is_some_and(|at| at.elapsed() < PATIENCE);
                if !is_looked_at {
                    history.is_sampling = false;
                    return;
                }
            }
        });
    }

    fn sample(&self) {
        let gauges = self.count();
        let totals = self.observer.totals();
        self.history().push(Instant::now(), totals, gauges);
    }

    /// Counts the current messages and workers.
    fn count(&self) -> Gauges {
        let depth = self.sqs.depth(&self.system.queue);
        let dead = self.sqs.depth(&self.system.dead_letters);
        Gauges {
            waiting: depth.visible + depth.delayed,
            in_flight: depth.in_flight,
            dead: dead.visible + dead.delayed + dead.in_flight,
            busy: self.lambda.running(&self.system.worker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::counts::Counts, *};
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn a_sample_is_a_second_and_a_break_is_a_gap() {
        let (start, counts) = (Instant::now(), Counts::default());
        let mut history = History::default();
        let mut look = |ms, accepted| {
            counts.accepted.fetch_add(accepted, Relaxed);
            let now = start + Duration::from_millis(ms);
            history.push(now, counts.totals(), Gauges::default());
            let samples = history.samples();
            assert_eq!(samples.len(), SECONDS);
            let accepted = |sample: Option<Sample>| sample.map(|sample| sample.accepted);
            samples.into_iter().map(accepted).collect::<Vec<_>>()
        };
        assert_eq!(look(0, 7), [None; SECONDS]);
        assert_eq!(look(1000, 600)[SECONDS - 2..], [None, Some(600.0)]);
        assert_eq!(look(1500, 50)[SECONDS - 2..], [Some(600.0), Some(100.0)]);
        let expected = [Some(100.0), None, None, None];
        assert_eq!(look(4500, 900)[SECONDS - 4..], expected);
        assert_eq!(look(900_000, 1), [None; SECONDS]);
    }
}
