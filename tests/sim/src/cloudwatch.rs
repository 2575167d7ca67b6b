//! A model of CloudWatch: the metrics of a run, and when an alarm of the template fires. It gets what the functions emit, and
//! what SQS and Lambda would. Metrics are available at once; CloudWatch itself needs up to two minutes.

mod math;

use crate::{queue::Queue, wire::Wire};
use local::template::watch::{Alarm, Metric, Watch};
use process::tally::Tally;
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

const MINUTE: Duration = Duration::from_mins(1);
/// The names of the template's queues and function, and of the service.
const QUEUE: (&str, &str) = ("QueueName", "OrdersQueue");
const DEAD: (&str, &str) = ("QueueName", "OrdersDeadLetterQueue");
const FUNCTION: (&str, &str) = ("FunctionName", "ProcessFunction");
const SERVICE: &str = "local";

/// Namespace, name and dimensions.
type Name = (String, String, BTreeMap<String, String>);

/// The values of each metric, with their times from the start.
#[derive(Debug)]
pub struct Metrics {
    start: Instant,
    values: BTreeMap<Name, Vec<(Duration, f64)>>,
}

thread_local! {
    static RECORDED: RefCell<Option<Metrics>> = const { RefCell::new(None) };
}

/// Records the metrics of the run that starts now on this thread.
pub fn record(wire: &Wire) {
    let start = Instant::now();
    let values = BTreeMap::new();
    RECORDED.set(Some(Metrics { start, values }));
    let wire = wire.clone();
    tokio::spawn(async move {
        for minute in 1.. {
            sleep_until(start + MINUTE * minute - Duration::from_secs(1)).await;
            sample(&wire.queue());
        }
    });
}

/// Ends the recording.
pub fn take() -> Option<Metrics> {
    RECORDED.take()
}

/// Records what SQS reports each minute.
fn sample(queue: &Queue) {
    let (visible, hidden) = queue.depth();
    put(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        QUEUE,
        count(visible),
    );
    put(
        "AWS/SQS",
        "ApproximateNumberOfMessagesNotVisible",
        QUEUE,
        count(hidden),
    );
    put(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        DEAD,
        count(queue.dead.len()),
    );
    // SQS leaves out what was received three times.
    if let Some(age) = queue.oldest(3) {
        put(
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            QUEUE,
            age.as_secs_f64(),
        );
    }
}

/// Records that a message was deleted.
pub fn deleted() {
    put("AWS/SQS", "NumberOfMessagesDeleted", QUEUE, 1.0);
}

/// Records that an invocation failed as a whole.
pub fn failed() {
    put("AWS/Lambda", "Errors", FUNCTION, 1.0);
}

/// Records the metrics of a batch.
pub fn emit(tally: &Tally) {
    if RECORDED.with_borrow(Option::is_none) {
        return;
    }
    for line in tally.lines(crate::clock::now(), SERVICE, "INFO") {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], serde_json::json!([["Service"]]));
        let namespace = directive["Namespace"].as_str().expect("a namespace");
        for metric in directive["Metrics"].as_array().expect("metrics") {
            let name = metric["Name"].as_str().expect("a name");
            let values = match &line[name] {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            for value in values {
                let value = value.as_f64().expect("a number");
                put(namespace, name, ("Service", SERVICE), value);
            }
        }
    }
}

fn put(namespace: &str, name: &str, (dimension, of): (&str, &str), value: f64) {
    RECORDED.with_borrow_mut(|recorded| {
        let Some(metrics) = recorded else { return };
        let dimensions = BTreeMap::from([(dimension.to_owned(), of.to_owned())]);
        let name = (namespace.to_owned(), name.to_owned(), dimensions);
        let at = metrics.start.elapsed();
        metrics.values.entry(name).or_default().push((at, value));
    });
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

impl Metrics {
    /// Returns the minute after the start by which each alarm first fired, if it did, including the composite ones.
    pub fn fired(&self, watch: &Watch) -> BTreeMap<String, u32> {
        let all = self.values.values().flatten();
        let end = all.map(|(at, _)| *at).max().unwrap_or_default();
        let minutes = 1..=u32::try_from(end.as_secs() / 60 + 10).unwrap_or(u32::MAX);
        let mut fired = BTreeMap::new();
        for (id, alarm) in &watch.alarms {
            let first = minutes
                .clone()
                .find(|minute| self.breaches(alarm, MINUTE * *minute));
            fired.extend(first.map(|minute| (id.clone(), minute)));
        }
        for (id, any) in &watch.composites {
            let first = any.iter().filter_map(|id| fired.get(id)).min().copied();
            fired.extend(first.map(|minute| (id.clone(), minute)));
        }
        fired
    }

    /// The metrics that were recorded.
    pub fn names(&self) -> BTreeSet<&str> {
        self.values.keys().map(|(_, name, _)| &**name).collect()
    }

    /// Whether enough of the datapoints before `now` breach an alarm.
    fn breaches(&self, alarm: &Alarm, now: Duration) -> bool {
        let periods = alarm.metrics.values().map(|metric| metric.period);
        let period = periods.max().unwrap_or(MINUTE);
        let breaching = (0..alarm.periods).filter(|n| {
            let Some(end) = now.checked_sub(period * u32::try_from(*n).unwrap_or(u32::MAX)) else {
                return false;
            };
            let of = |id: &str| self.statistic(alarm.metrics.get(id)?, end);
            let value = if let Some(expression) = &alarm.expression {
                math::evaluate(expression, of)
            } else {
                alarm.metrics.keys().next().and_then(|id| of(id))
            };
            value.is_some_and(|value| {
                value > alarm.threshold || alarm.or_equal && value >= alarm.threshold
            })
        });
        breaching.count() >= alarm.datapoints
    }

    /// A statistic of the period that ends at `end`; `None`: no value.
    fn statistic(&self, metric: &Metric, end: Duration) -> Option<f64> {
        let Metric {
            namespace,
            name,
            dimensions,
            statistic,
            period,
        } = metric;
        let name = (namespace.clone(), name.clone(), dimensions.clone());
        let from = end.saturating_sub(*period);
        let values = self.values.get(&name)?;
        let before = |time: Duration| values.partition_point(|(at, _)| *at < time);
        let within = &values[before(from)..before(end)];
        let mut values: Vec<_> = within.iter().map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        let last = values.last().copied()?;
        let sum: f64 = values.iter().sum();
        Some(match &**statistic {
            "Sum" => sum,
            "Average" => sum / count(values.len()),
            "Maximum" => last,
            percentile => {
                let percent: usize = percentile.strip_prefix('p')?.parse().ok()?;
                values[(values.len() * percent).div_ceil(100).saturating_sub(1)]
            }
        })
    }
}
