//! Counts the dispositions of a batch, and writes them as metrics: one line a batch, in CloudWatch's embedded metric
//! format.

use crate::disposition::Disposition;
use events::{Outcome, Timestamp};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The namespace of the metrics.
pub const NAMESPACE: &str = "OrderIntake";

/// The number of records of a batch that met each disposition.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    confirmed: usize,
    rejected: usize,
    redelivered: usize,
    key_mismatches: usize,
    failed: usize,
    untold: usize,
}

impl Tally {
    /// Counts one more record.
    pub fn count(&mut self, disposition: Disposition) {
        let counter = match disposition {
            Disposition::Stored(settled) => match settled.outcome {
                Outcome::Confirmed => &mut self.confirmed,
                Outcome::Rejected(_) => &mut self.rejected,
                Outcome::Failed => &mut self.failed,
            },
            Disposition::StoredBefore(_) => &mut self.redelivered,
            Disposition::KeyMismatch => &mut self.key_mismatches,
            Disposition::Retry(_) => &mut self.failed,
        };
        *counter += 1;
    }

    /// Counts one more outcome that the event bus has not taken.
    pub fn count_untold(&mut self) {
        self.untold += 1;
    }

    /// The line that CloudWatch reads metrics from, under the level that logs are set to: Lambda drops a line of a lower
    /// level, or takes one without level and time for INFO, and CloudWatch would see no metric.
    pub fn to_json(&self, now: SystemTime, level: &str) -> Value {
        let counts = [
            ("Confirmed", self.confirmed),
            ("Rejected", self.rejected),
            ("Redelivered", self.redelivered),
            ("KeyMismatches", self.key_mismatches),
            ("FailedAttempts", self.failed),
            ("Untold", self.untold),
        ];
        let metrics: Vec<_> = counts
            .iter()
            .map(|(name, _)| json!({"Name": name, "Unit": "Count"}))
            .collect();
        let millis = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let mut line = json!({"_aws": {
            "Timestamp": u64::try_from(millis).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}],
        }});
        let level = if level.is_empty() { "INFO" } else { level };
        (line["level"], line["timestamp"]) = (level.into(), json!(Timestamp::from(now)));
        for (name, count) in counts {
            line[name] = count.into();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_lets_the_metrics_through_at_every_level() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_795_338_000_120);
        for (set, expected) in [("", "INFO"), ("WARN", "WARN"), ("FATAL", "FATAL")] {
            let line = Tally::default().to_json(now, set);
            assert_eq!(line["level"], expected);
            assert_eq!(line["timestamp"], "2026-11-22T09:00:00.120Z");
            assert_eq!(line["KeyMismatches"], 0);
            assert_eq!(line["Untold"], 0);
        }
    }
}
