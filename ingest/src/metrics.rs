//! Counts what a function does, and writes the counts as metrics, in CloudWatch's embedded metric format.
//!
//! A line of metrics is as large as all other lines for one accepted order. So an environment writes one line for many
//! requests: 5 s after the last, or as soon as a line is full. What was counted after that is written by the environment's
//! next request, however late it comes, or lost if Lambda ends the environment before. A line carries the time of its latest
//! count and never spans the end of a minute: CloudWatch shows each count in the right minute. API Gateway's own metrics cover
//! every request.

use function::emf::{MOST_VALUES, Metric, line};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Shortest time between lines of metrics, unless there are [`MOST_VALUES`].
const EVERY: Duration = Duration::from_secs(5);

/// The metrics of one environment.
#[derive(Debug)]
pub struct Metrics {
    service: String,
    level: String,
    write: fn(&Value),
    clock: fn() -> SystemTime,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    /// The time of the latest count that is not written yet.
    at: Option<SystemTime>,
    written: Option<SystemTime>,
    counts: BTreeMap<&'static str, u64>,
    values: BTreeMap<&'static str, Vec<f64>>,
    refused: BTreeMap<&'static str, u64>,
}

impl Metrics {
    /// Passes each line to `write`. Lines carry this `service`, and the `level` that logs are set to.
    pub fn new(service: String, level: &str, write: fn(&Value)) -> Self {
        Self {
            service,
            level: level.to_owned(),
            write,
            clock: SystemTime::now,
            counted: Mutex::default(),
        }
    }

    /// Adds `more` to a count.
    pub fn count(&self, name: &'static str, more: usize) {
        self.change(|counted| {
            *counted.counts.entry(name).or_default() += u64::try_from(more).unwrap_or(u64::MAX);
        });
    }

    /// Records how long something took.
    pub fn took(&self, name: &'static str, time: Duration) {
        let millis = (time.as_secs_f64() * 10_000.0).round() / 10.0;
        self.change(|counted| counted.values.entry(name).or_default().push(millis));
    }

    /// Counts a refusal of this kind: of an order, or of a request without orders.
    pub fn refused(&self, kind: &'static str) {
        self.change(|counted| *counted.refused.entry(kind).or_default() += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Counted)) {
        let now = (self.clock)();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.at.is_some_and(|at| minute(at) != minute(now)) {
            self.write(&mut counted);
        }
        counted.at = Some(now);
        change(&mut counted);
    }

    /// Writes what was counted, if a line is due.
    pub fn write_if_due(&self) {
        let now = (self.clock)();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = counted
            .written
            .is_none_or(|then| now.duration_since(then).map_or(true, |past| past >= EVERY));
        let is_full = counted
            .values
            .values()
            .any(|values| values.len() >= MOST_VALUES);
        if is_time || is_full {
            self.write(&mut counted);
            counted.written = Some(now);
        }
    }

    /// Writes what was counted, with the time of the latest count.
    fn write(&self, counted: &mut Counted) {
        let Some(at) = counted.at.take() else { return };
        let counts = mem::take(&mut counted.counts)
            .into_iter()
            .map(|(name, n)| (name, "Count", json!(n)));
        let values = mem::take(&mut counted.values)
            .into_iter()
            .map(|(name, values)| (name, "Milliseconds", json!(values)));
        let metrics: Vec<_> = counts.chain(values).collect();
        if !metrics.is_empty() {
            self.write_line(None, metrics, at);
        }
        // A line has only one value of each dimension.
        for (kind, n) in mem::take(&mut counted.refused) {
            self.write_line(Some(kind), vec![("Refused", "Count", json!(n))], at);
        }
    }

    fn write_line(&self, kind: Option<&str>, metrics: Vec<Metric>, at: SystemTime) {
        (self.write)(&line(&self.service, &self.level, kind, metrics, at));
    }
}

/// Returns the minute of a time, since 1970: CloudWatch's resolution is a minute.
fn minute(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        / 60
}

#[cfg(test)]
mod tests;
