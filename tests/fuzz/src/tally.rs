//! Counts the outcomes that were reached, so that a target that only ever meets one refusal is noticed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How often a long run reports what it has reached.
const INTERVAL: Duration = Duration::from_secs(30);

/// Counts outcomes.
#[derive(Debug)]
pub struct Tally {
    outcomes: BTreeMap<String, u64>,
    runs: u64,
    reported: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            outcomes: BTreeMap::new(),
            runs: 0,
            reported: Instant::now(),
        }
    }
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, outcome: impl Into<String>) {
        *self.outcomes.entry(outcome.into()).or_default() += 1;
    }

    /// Panics unless all of these were reached.
    pub fn must_have(&self, outcomes: &[&str]) {
        for outcome in outcomes {
            assert!(
                self.outcomes.contains_key(*outcome),
                "never reached {outcome:?}: {:#?}",
                self.outcomes
            );
        }
    }

    /// Called after each run: reports at intervals on stderr which outcomes were reached so far.
    pub fn report(&mut self, target: &str) {
        self.runs += 1;
        if self.reported.elapsed() >= INTERVAL {
            self.reported = Instant::now();
            eprintln!("{target}: {} runs reached {:?}", self.runs, self.outcomes);
        }
    }
}

/// Runs this many programs, the same ones each time.
pub fn programs(count: usize, mut run: impl FnMut(&[u8])) {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..count {
        let program: Vec<_> = (0..random.usize(..96)).map(|_| random.u8(..)).collect();
        run(&program);
    }
}
