//! Counts what became of a batch's records, and writes the counts as metrics: one line per batch, in CloudWatch's embedded
//! metric format.

use crate::disposition::{Cause, Disposition};
use events::Outcome;
use function::emf::{MOST_VALUES, line};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// The number of a batch's records with each disposition, and how long their orders waited.
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    /// By their metric.
    outcomes: BTreeMap<&'static str, usize>,
    redelivered: usize,
    key_mismatches: usize,
    failed_by_record: usize,
    failed_by_table: usize,
    failed_by_time: usize,
    unpublished: usize,
    most_receives: u32,
    waits: Vec<Duration>,
}

impl Tally {
    /// Counts one more record, which was received this often.
    pub fn count(&mut self, disposition: &Disposition, receives: u32) {
        let counter = match disposition {
            Disposition::Stored(settled) => {
                self.waits
                    .push(settled.placed_at.until(settled.processed_at));
                match settled.outcome.metric() {
                    Some(metric) => self.outcomes.entry(metric).or_default(),
                    None => &mut self.failed_by_record,
                }
            }
            Disposition::StoredBefore(_) | Disposition::UnknownOutcome => &mut self.redelivered,
            Disposition::KeyMismatch(_) => &mut self.key_mismatches,
            // A worker that is too old also fails single messages.
            Disposition::Retry(Cause::Record | Cause::Worker) => &mut self.failed_by_record,
            Disposition::Retry(Cause::Table) => &mut self.failed_by_table,
            Disposition::Retry(Cause::Busy) => &mut self.failed_by_time,
        };
        *counter += 1;
        self.most_receives = self.most_receives.max(receives);
    }

    /// Counts one more outcome that the event bus has not taken.
    pub fn count_unpublished(&mut self) {
        self.unpublished += 1;
    }

    /// Returns the lines that CloudWatch reads the metrics of this `service` from: one, unless a batch has more than 100
    /// orders. They have the `level` that logs are set to.
    pub fn lines(&self, now: SystemTime, service: &str, level: &str) -> Vec<Value> {
        let failed = self.failed_by_record + self.failed_by_table + self.failed_by_time;
        let settled =
            self.outcomes.values().sum::<usize>() + self.redelivered + self.key_mismatches;
        let counts = [
            ("Records", settled + failed),
            ("Redelivered", self.redelivered),
            ("KeyMismatches", self.key_mismatches),
            ("FailedAttempts", failed),
            ("FailedByRecord", self.failed_by_record),
            ("FailedByTable", self.failed_by_table),
            ("FailedByTime", self.failed_by_time),
            ("Unpublished", self.unpublished),
        ];
        let outcome = |name| (name, self.outcomes.get(name).copied().unwrap_or_default());
        let outcomes = Outcome::METRICS.map(outcome);
        let counts = counts.into_iter().chain(outcomes);
        let counts = counts.map(|(name, count)| (name, "Count", json!(count)));
        let receives = ("MostReceives", "None", json!(self.most_receives));
        let seconds: Vec<_> = self.waits.iter().map(Duration::as_secs_f64).collect();
        let mut waits = seconds
            .chunks(MOST_VALUES)
            .map(|seconds| ("SecondsToOutcome", "Seconds", json!(seconds)));
        let first = counts.chain([receives]).chain(waits.next());
        let mut lines = vec![line(service, level, None, first, now)];
        lines.extend(waits.map(|more| line(service, level, None, [more], now)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disposition::Settled;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_795_338_000_120) + Duration::from_secs(seconds)
    }

    fn stored(outcome: Outcome, seconds: u64) -> Disposition {
        Disposition::Stored(Settled {
            outcome,
            placed_at: at(0).into(),
            processed_at: at(seconds).into(),
        })
    }

    #[test]
    fn lambda_lets_the_metrics_through_at_every_level() {
        for (set, expected) in [("", "INFO"), ("WARN", "WARN"), ("FATAL", "FATAL")] {
            let [line] = &Tally::default().lines(at(0), "shop", set)[..] else {
                panic!("more than a line")
            };
            assert_eq!(line["level"], expected);
            assert_eq!(line["timestamp"], "2026-11-22T09:00:00.120Z");
            assert_eq!(line["KeyMismatches"], 0);
            assert_eq!(line["Unpublished"], 0);
        }
    }

    #[test]
    fn a_line_counts_each_record_and_has_each_outcomes_time() {
        let mut tally = Tally::default();
        tally.count(&stored(Outcome::Confirmed, 3), 1);
        tally.count(&stored(Outcome::Confirmed, 70), 4);
        tally.count(&Disposition::UnknownOutcome, 2);
        tally.count(&Disposition::Retry(Cause::Table), 1);
        tally.count(&Disposition::Retry(Cause::Busy), 1);
        tally.count(&Disposition::Retry(Cause::Record), 1);
        tally.count(&Disposition::Retry(Cause::Worker), 1);
        let [line] = &tally.lines(at(0), "shop", "INFO")[..] else {
            panic!("more than a line")
        };
        let expected = [
            ("Records", json!(7)),
            ("Confirmed", json!(2)),
            ("Rejected", json!(0)),
            ("Redelivered", json!(1)),
            ("FailedAttempts", json!(4)),
            ("FailedByRecord", json!(2)),
            ("FailedByTable", json!(1)),
            ("FailedByTime", json!(1)),
            ("MostReceives", json!(4)),
            ("SecondsToOutcome", json!([3.0, 70.0])),
            ("Service", json!("shop")),
        ];
        for (name, value) in expected {
            assert_eq!(line[name], value, "{name}");
        }
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["Service"]]));
        for metric in metrics["Metrics"].as_array().into_iter().flatten() {
            let name = metric["Name"].as_str().unwrap_or_default();
            assert!(line.get(name).is_some(), "{name} has no value");
        }
    }

    #[test]
    fn no_line_has_more_values_of_a_metric_than_cloudwatch_takes() {
        for (orders, expected) in [(0, vec![]), (100, vec![100]), (201, vec![100, 100, 1])] {
            let mut tally = Tally::default();
            (0..orders).for_each(|_| tally.count(&stored(Outcome::Confirmed, 1), 1));
            let lines = tally.lines(at(0), "shop", "INFO");
            let values = |line: &Value| Some(line["SecondsToOutcome"].as_array()?.len());
            assert_eq!(
                lines.iter().filter_map(values).collect::<Vec<_>>(),
                expected
            );
            assert_eq!(lines[0]["Confirmed"], orders);
            assert!(lines[1..].iter().all(|line| line["Confirmed"].is_null()));
        }
    }
}
