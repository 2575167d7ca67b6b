//! Splits a run into its seconds.

use super::{figures::Times, run::Run, table::Fate};
use std::time::Duration;

#[derive(Debug)]
pub struct Series {
    /// All seconds from the start until every order is settled and its client has read the outcome.
    pub seconds: Vec<Second>,
}

#[derive(Debug, Clone, Default)]
pub struct Second {
    /// Orders that were due.
    pub due: usize,
    pub written: usize,
    /// Orders that were due in this second but not accepted.
    pub refused: usize,
    pub units: u64,
    /// Polls for an outcome.
    pub asked: usize,
    /// Writes that were throttled or in conflict.
    pub in_vain: usize,
    /// Orders without an outcome at the end of the second.
    pub waiting: usize,
    /// Response times of the orders that were due in this second.
    pub p50: Duration,
    /// The 99th percentile of them.
    pub p99: Duration,
}

impl Series {
    /// Splits a run.
    pub fn of(run: &Run) -> Self {
        let second = |at: Duration| usize::try_from(at.as_secs()).unwrap_or(0);
        let known = run.followed.values().filter_map(|polls| polls.known);
        let end = known.max().unwrap_or_default().max(run.drained());
        let mut seconds = vec![Second::default(); second(end) + 1];
        let mut times = vec![Vec::new(); seconds.len()];
        for answer in &run.answers {
            seconds[second(answer.due)].due += 1;
            seconds[second(answer.due)].refused += usize::from(answer.id().is_none());
            times[second(answer.due)].push(answer.latency);
            // An order waits at the end of each second before the one in which it is settled.
            for waiting in &mut seconds[second(answer.due)..second(run.settled(answer))] {
                waiting.waiting += 1;
            }
        }
        for written in run.written.values() {
            if let Some(second) = seconds.get_mut(second(*written)) {
                second.written += 1;
            }
        }
        for asked in run.followed.values().flat_map(|polls| &polls.asked) {
            if let Some(second) = seconds.get_mut(second(*asked)) {
                second.asked += 1;
            }
        }
        for attempt in &run.attempts {
            if let Some(second) = seconds.get_mut(second(attempt.at)) {
                match attempt.fate {
                    Fate::Taken => second.units += attempt.units,
                    Fate::Throttled | Fate::Conflict => second.in_vain += 1,
                }
            }
        }
        for (second, times) in seconds.iter_mut().zip(times) {
            let times = Times::new(times.into_iter());
            (second.p50, second.p99) = (times.quantile(0.5), times.quantile(0.99));
        }
        Self { seconds }
    }
}
