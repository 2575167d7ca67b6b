//! A run, second by second.

use super::{figures::Times, run::Run, table::Fate};
use std::time::Duration;

/// A run, second by second.
#[derive(Debug)]
pub struct Series {
    /// From its start until everything is settled.
    pub seconds: Vec<Second>,
}

/// One second of a run.
#[derive(Debug, Clone, Default)]
pub struct Second {
    /// Orders that were to be sent.
    pub due: usize,
    /// Orders that were written.
    pub written: usize,
    /// Orders that were to be sent in it and not accepted.
    pub refused: usize,
    /// Write units that were used.
    pub units: u64,
    /// Attempts that were throttled or in conflict.
    pub in_vain: usize,
    /// Orders without an outcome at its end.
    pub waiting: usize,
    /// Response times of what was due in it.
    pub p50: Duration,
    /// Within which 99 of 100 answers came.
    pub p99: Duration,
}

impl Series {
    /// The seconds of a run.
    pub fn of(run: &Run) -> Self {
        let second = |at: Duration| usize::try_from(at.as_secs()).unwrap_or(0);
        let mut seconds = vec![Second::default(); second(run.drained()) + 1];
        let mut times = vec![Vec::new(); seconds.len()];
        for answer in &run.answers {
            seconds[second(answer.due)].due += 1;
            seconds[second(answer.due)].refused += usize::from(answer.id().is_none());
            times[second(answer.due)].push(answer.latency);
            // It waits at the end of each second before the one in which it is settled.
            for waiting in &mut seconds[second(answer.due)..second(run.settled(answer))] {
                waiting.waiting += 1;
            }
        }
        for written in run.written.values() {
            if let Some(second) = seconds.get_mut(second(*written)) {
                second.written += 1;
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
