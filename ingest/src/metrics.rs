//! Counts what a function does, and writes it as metrics, in CloudWatch's embedded metric format.
//!
//! A line of metrics is as long as all that is logged of an accepted order. So an environment writes one line for many
//! requests: 5 s after the last, or when there are as many values as a line may have. What was counted since the last line is
//! written by the environment's next request, or by none if Lambda ends it before. API Gateway's own metrics have every
//! request.

use events::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The namespace of the metrics.
pub const NAMESPACE: &str = "OrderIntake";

/// An environment writes metrics at most this often, but for [`MOST_VALUES`].
const EVERY: Duration = Duration::from_secs(5);
/// CloudWatch takes this many values of a metric in a line.
const MOST_VALUES: usize = 100;

/// The metrics of one environment.
#[derive(Debug)]
pub struct Metrics {
    service: String,
    level: String,
    write: fn(&Value),
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    written: Option<SystemTime>,
    counts: BTreeMap<&'static str, u64>,
    values: BTreeMap<&'static str, Vec<f64>>,
    refused: BTreeMap<&'static str, u64>,
}

impl Metrics {
    /// Gives each line to `write`. Lines are of this `service`, and have the `level` that logs are set to: Lambda drops a
    /// line of a lower one.
    pub fn new(service: String, level: &str, write: fn(&Value)) -> Self {
        Self {
            service,
            level: if level.is_empty() { "INFO" } else { level }.to_owned(),
            write,
            counted: Mutex::default(),
        }
    }

    /// Counts so many more of something.
    pub fn count(&self, name: &'static str, more: usize) {
        self.change(|counted| {
            *counted.counts.entry(name).or_default() += u64::try_from(more).unwrap_or(u64::MAX);
        });
    }

    /// Keeps how long something took.
    pub fn took(&self, name: &'static str, time: Duration) {
        let millis = (time.as_secs_f64() * 10_000.0).round() / 10.0;
        self.change(|counted| counted.values.entry(name).or_default().push(millis));
    }

    /// Counts an order, or a request without any, that was refused for this kind of problem.
    pub fn refused(&self, kind: &'static str) {
        self.change(|counted| *counted.refused.entry(kind).or_default() += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes what was counted, if it is time to.
    pub fn write_if_due(&self, now: SystemTime) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = counted
            .written
            .is_none_or(|then| now.duration_since(then).map_or(true, |past| past >= EVERY));
        let is_full = counted
            .values
            .values()
            .any(|values| values.len() >= MOST_VALUES);
        if !(is_time || is_full) {
            return;
        }
        let Counted {
            counts,
            values,
            refused,
            ..
        } = mem::take(&mut *counted);
        counted.written = Some(now);
        drop(counted);
        let counts = counts
            .into_iter()
            .map(|(name, n)| (name, "Count", json!(n)));
        let values = values
            .into_iter()
            .map(|(name, values)| (name, "Milliseconds", json!(values)));
        let metrics: Vec<_> = counts.chain(values).collect();
        if !metrics.is_empty() {
            (self.write)(&self.line(None, metrics, now));
        }
        // A line has one value of a dimension.
        for (kind, n) in refused {
            let metrics = vec![("Refused", "Count", json!(n))];
            (self.write)(&self.line(Some(kind), metrics, now));
        }
    }

    /// A line of metrics, each with its name, its unit and its value, or its values.
    fn line(
        &self,
        kind: Option<&str>,
        metrics: Vec<(&'static str, &'static str, Value)>,
        now: SystemTime,
    ) -> Value {
        let definition = |(name, unit, _): &(_, _, _)| json!({"Name": name, "Unit": unit});
        let definitions: Vec<_> = metrics.iter().map(definition).collect();
        let mut dimensions = vec!["Service"];
        dimensions.extend(kind.map(|_| "Kind"));
        let millis = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let mut line = json!({
            "level": self.level,
            "timestamp": Timestamp::from(now),
            "Service": self.service,
            "_aws": {
                "Timestamp": u64::try_from(millis).unwrap_or(u64::MAX),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [dimensions],
                    "Metrics": definitions,
                }],
            },
        });
        if let Some(kind) = kind {
            line["Kind"] = kind.into();
        }
        for (name, _, value) in metrics {
            line[name] = value;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    }

    fn metrics() -> Metrics {
        let write = |line: &Value| LINES.with_borrow_mut(|lines| lines.push(line.clone()));
        Metrics::new("shop".to_owned(), "", write)
    }

    fn written(metrics: &Metrics, seconds: f64) -> Vec<Value> {
        let now = UNIX_EPOCH + Duration::from_secs_f64(1_795_338_000.0 + seconds);
        metrics.write_if_due(now);
        LINES.take()
    }

    #[test]
    fn a_line_has_what_was_counted_since_the_last() {
        let metrics = metrics();
        metrics.count("Accepted", 1);
        metrics.took("QueueMilliseconds", Duration::from_micros(3149));
        let [first] = &written(&metrics, 0.0)[..] else {
            panic!("not one line")
        };
        assert_eq!(first["Accepted"], 1);
        assert_eq!(first["QueueMilliseconds"], json!([3.1]));
        assert_eq!(first["Service"], "shop");
        assert_eq!(first["level"], "INFO");
        let defined = &first["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(defined["Dimensions"], json!([["Service"]]));
        assert_eq!(defined["Metrics"][0]["Name"], "Accepted");

        for seconds in [1.0, 4.9] {
            metrics.count("Accepted", 2);
            metrics.took("QueueMilliseconds", Duration::from_millis(5));
            assert!(written(&metrics, seconds).is_empty());
        }
        let [second] = &written(&metrics, 5.0)[..] else {
            panic!("not one line")
        };
        assert_eq!(second["Accepted"], 4);
        assert_eq!(second["QueueMilliseconds"], json!([5.0, 5.0]));
        assert!(written(&metrics, 60.0).is_empty(), "nothing was counted");
    }

    #[test]
    fn no_line_has_more_values_than_cloudwatch_takes() {
        let metrics = metrics();
        metrics.took("QueueMilliseconds", Duration::ZERO);
        assert_eq!(written(&metrics, 0.0).len(), 1);
        for n in 1..=250 {
            metrics.took("QueueMilliseconds", Duration::ZERO);
            for line in written(&metrics, 0.001 * f64::from(n)) {
                assert_eq!(
                    line["QueueMilliseconds"].as_array().map(Vec::len),
                    Some(100)
                );
                assert_eq!(n % 100, 0);
            }
        }
    }

    #[test]
    fn each_kind_of_refusal_is_a_dimension_of_its_own() {
        let metrics = metrics();
        for kind in ["not-json", "invalid-order", "not-json"] {
            metrics.refused(kind);
        }
        let lines = written(&metrics, 0.0);
        let refused: Vec<_> = lines
            .iter()
            .map(|line| (line["Kind"].as_str(), line["Refused"].as_u64()))
            .collect();
        assert_eq!(
            refused,
            [
                (Some("invalid-order"), Some(1)),
                (Some("not-json"), Some(2))
            ]
        );
        for line in &lines {
            let defined = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(defined["Dimensions"], json!([["Service", "Kind"]]));
        }
    }
}
