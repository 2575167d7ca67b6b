//! How fast this worker writes to a table that throttles. Pure: times and chance are passed in.
//!
//! A table that throttles doesn't say how much it takes. So after a throttling the rate falls, climbs back to where it
//! was, waits there, and only then probes beyond: CUBIC (RFC 9438), counted in commits instead of seconds, so that a
//! worker is throttled about once in `STEPS` commits however slow the table is. Until the first throttling nothing
//! waits.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Commits from a throttling until the rate is what it was.
const STEPS: f64 = 44.0;
/// What the rate falls to at a throttling, and when there was no commit since the last one.
const BACK: f64 = 0.85;
const FAR_BACK: f64 = 0.5;
/// How many times the rate that was throttled is as good as no limit.
const FREE: f64 = 4.0;
/// Over how long the rate is measured that a first throttling has interrupted.
const MEASURED: Duration = Duration::from_secs(1);
/// The longest wait, so that a batch gets its tries however slow the table is.
const LONGEST: Duration = Duration::from_secs(5);

/// The pace of one worker's transactions, in actions: an order, or an article.
#[derive(Debug, Default)]
pub struct Pace {
    limit: Option<Limit>,
    /// Commits of the last second, with their actions, whether there is a limit or not: it may end meanwhile.
    recent: VecDeque<(Instant, f64)>,
}

#[derive(Debug)]
struct Limit {
    /// Actions a second when the table throttled.
    throttled: f64,
    /// Actions a second after that.
    fallen: f64,
    /// Commits since then.
    commits: f64,
    /// When the next transaction may start.
    next: Instant,
}

impl Limit {
    /// Actions a second.
    fn rate(&self) -> f64 {
        let way = self.commits / STEPS - 1.0;
        self.throttled + (self.throttled - self.fallen) * way.powi(3)
    }

    /// How long so many actions take.
    fn time(&self, actions: f64) -> Duration {
        Duration::try_from_secs_f64(actions / self.rate()).map_or(LONGEST, |time| time.min(LONGEST))
    }
}

impl Pace {
    /// When a transaction of so many actions may start; the next one's turn is after it.
    pub fn start(&mut self, actions: usize, now: Instant) -> Instant {
        let Some(limit) = &mut self.limit else {
            return now;
        };
        let start = limit.next.max(now);
        limit.next = start + limit.time(count(actions));
        start
    }

    /// A transaction was written.
    pub fn committed(&mut self, actions: usize, now: Instant) {
        self.recent.push_back((now, count(actions)));
        self.forget(now);
        if let Some(limit) = &mut self.limit {
            limit.commits += 1.0;
            if limit.rate() > FREE * limit.throttled {
                self.limit = None;
            }
        }
    }

    /// A transaction was throttled.
    pub fn throttled(&mut self, actions: usize, chance: f64, now: Instant) {
        self.forget(now);
        let measured: f64 = self.recent.iter().map(|(_, actions)| actions).sum();
        let (rate, left) = match &self.limit {
            None => (measured.max(count(actions)) / MEASURED.as_secs_f64(), BACK),
            Some(limit) if limit.commits == 0.0 => (limit.rate(), FAR_BACK),
            Some(limit) => (limit.rate(), BACK),
        };
        let mut limit = Limit {
            throttled: rate,
            fallen: left * rate,
            commits: 0.0,
            next: now,
        };
        // Jitter, so that workers that were throttled together don't come back together.
        limit.next += limit.time(count(actions)).mul_f64(0.7 + 0.6 * chance);
        self.limit = Some(limit);
    }

    fn forget(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|(at, _)| now - *at > MEASURED)
        {
            self.recent.pop_front();
        }
    }
}

/// A transaction has at most 100 actions.
fn count(actions: usize) -> f64 {
    f64::from(u32::try_from(actions).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    /// What workers get from a table that takes so many actions a second, and those of one second at once, for five
    /// minutes: the share of it that they use, and the share of their attempts that it throttles.
    fn share(workers: usize, table: f64, actions: usize) -> (f64, f64) {
        let begin = Instant::now();
        let end = begin + Duration::from_mins(5);
        let mut chance = Rng::with_seed(1);
        let mut paces: Vec<_> = (0..workers).map(|_| (begin, Pace::default())).collect();
        let (mut left, mut filled) = (table, begin);
        let (mut written, mut throttled) = (0.0, 0.0);
        loop {
            let (at, pace) = paces
                .iter_mut()
                .min_by_key(|(at, _)| *at)
                .expect("there is a worker");
            if *at > end {
                break;
            }
            left = table.min(left + table * (*at - filled).as_secs_f64());
            filled = *at;
            let now = *at + Duration::from_millis(10);
            if left >= count(actions) {
                left -= count(actions);
                written += 1.0;
                pace.committed(actions, now);
            } else {
                throttled += 1.0;
                pace.throttled(actions, chance.f64(), now);
            }
            *at = pace.start(actions, now);
        }
        let used = written * count(actions) / (table * 301.0);
        (used, throttled / (written + throttled))
    }

    #[test]
    fn a_table_that_throttles_is_used_and_not_overrun() {
        for table in [150.0, 200.0, 1000.0] {
            let (used, throttled) = share(2, table, 70);
            assert!(used > 0.9, "{table} actions a second: {used}");
            assert!(throttled < 0.05, "{table} actions a second: {throttled}");
        }
        // A cap that is too high for the table wastes some of it, but doesn't hammer it.
        let (used, throttled) = share(10, 200.0, 70);
        assert!(used > 0.7, "{used}");
        assert!(throttled < 0.2, "{throttled}");
    }

    #[test]
    fn nothing_waits_before_the_first_throttling_or_long_after_it() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..1000 {
            assert_eq!(pace.start(100, now), now);
            pace.committed(100, now);
        }
        pace.throttled(100, 0.5, now);
        assert!(pace.start(100, now) > now);
        for _ in 0..210 {
            now = pace.start(100, now);
            pace.committed(100, now);
        }
        assert_eq!(pace.start(100, now), now);
    }

    #[test]
    fn no_wait_is_too_long_for_an_invocation() {
        let now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..1000 {
            pace.throttled(100, 1.0, now);
        }
        assert!(pace.start(100, now) <= now + LONGEST.mul_f64(1.3));
    }
}
