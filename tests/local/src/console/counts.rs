//! Counts what happens, whether or not a page is open: each count is one addition. A page shows the difference between two
//! readings.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Eight buckets per power of two, from 1 µs to 67 s: a time is known to within an eighth.
const BUCKETS: usize = 192;

/// The counts since the start.
#[derive(Debug)]
pub struct Counts {
    /// Orders that the queue accepted from the API.
    pub accepted: AtomicU64,
    /// Orders' rows that the table accepted.
    pub written: AtomicU64,
    /// Requests for outcomes.
    pub asked: AtomicU64,
    /// Writes that the tables throttled.
    pub throttled: AtomicU64,
    /// Writes that conflicted with another transaction.
    pub conflicts: AtomicU64,
    /// Response times of requests that place orders.
    times: [AtomicU64; BUCKETS],
}

/// The counts at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    pub accepted: u64,
    pub written: u64,
    pub asked: u64,
    pub throttled: u64,
    pub conflicts: u64,
    times: [u64; BUCKETS],
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            accepted: AtomicU64::default(),
            written: AtomicU64::default(),
            asked: AtomicU64::default(),
            throttled: AtomicU64::default(),
            conflicts: AtomicU64::default(),
            times: array::from_fn(|_| AtomicU64::default()),
        }
    }
}

impl Counts {
    /// Counts a response time.
    pub fn time(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.times[bucket(micros)].fetch_add(1, Relaxed);
    }

    pub fn totals(&self) -> Totals {
        Totals {
            accepted: self.accepted.load(Relaxed),
            written: self.written.load(Relaxed),
            asked: self.asked.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            times: array::from_fn(|n| self.times[n].load(Relaxed)),
        }
    }
}

impl Totals {
    /// Subtracts the counts of an earlier moment.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            accepted: self.accepted - earlier.accepted,
            written: self.written - earlier.written,
            asked: self.asked - earlier.asked,
            throttled: self.throttled - earlier.throttled,
            conflicts: self.conflicts - earlier.conflicts,
            times: array::from_fn(|n| self.times[n] - earlier.times[n]),
        }
    }

    /// A quantile of the response times, in milliseconds; `None` without any.
    #[expect(clippy::cast_precision_loss)]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let all: u64 = self.times.iter().sum();
        let rank = (all as f64 * quantile).ceil();
        let mut seen = 0;
        let n = self.times.iter().position(|count| {
            seen += count;
            *count > 0 && seen as f64 >= rank
        })?;
        Some(longest(n) as f64 / 1000.0)
    }
}

fn bucket(micros: u64) -> usize {
    let doublings = micros.max(8).ilog2() - 3;
    let eighth = (micros >> doublings) & 7;
    let first = if micros < 8 { 0 } else { doublings + 1 };
    let bucket = u64::from(first) * 8 + eighth;
    usize::try_from(bucket).map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
}

/// The longest time in a bucket, in microseconds.
fn longest(bucket: usize) -> u64 {
    let (first, eighth) = ((bucket / 8) as u64, (bucket % 8) as u64);
    match first.checked_sub(1) {
        None => eighth,
        Some(doublings) => ((eighth + 9) << doublings) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_known_within_an_eighth(micros in 0_u64..30_000_000) {
            let longest = longest(bucket(micros));
            prop_assert!(micros <= longest && longest <= micros + micros / 8, "{longest}");
        }
    }

    #[test]
    fn a_quantile_is_the_time_that_this_share_stayed_below() {
        let counts = Counts::default();
        let before = counts.totals();
        assert_eq!(before.quantile(0.5), None);
        for _ in 0..98 {
            counts.time(Duration::from_millis(1));
        }
        counts.time(Duration::from_millis(9));
        counts.time(Duration::from_hours(1));
        let seen = counts.totals().since(&before);
        let near = |quantile, ms: f64| {
            let found = seen.quantile(quantile).unwrap_or_default();
            assert!(found >= ms && found <= 1.125 * ms, "{found}");
        };
        near(0.5, 1.0);
        near(0.99, 9.0);
        near(1.0, 67_000.0);
    }
}
