//! What CloudWatch watches according to this repository's template. A scenario of `e2e` checks which metrics the functions
//! emit.

use super::{
    super::{load, model::Stack, watch},
    place,
};
use anyhow::{Context, Result, ensure};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use watch::{Metric, Watch};

/// The metrics of AWS's services that may be named, with their dimensions. Sources, read on 2026-11-27: "CloudWatch metrics"
/// in the guides of SQS, Lambda, API Gateway (REST APIs), DynamoDB and CloudWatch Logs.
const OF_AWS: [(&str, &[&str], &[&str]); 5] = [
    (
        "AWS/SQS",
        &["QueueName"],
        &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateAgeOfOldestMessageInQuietGroups",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfEmptyReceives",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesSent",
        ],
    ),
    (
        "AWS/Lambda",
        &["FunctionName"],
        &["ConcurrentExecutions", "Duration", "Errors", "Throttles"],
    ),
    (
        "AWS/ApiGateway",
        &["ApiName", "Stage"],
        &["4XXError", "5XXError", "Count", "Latency"],
    ),
    (
        "AWS/DynamoDB",
        &["TableName"],
        &[
            "ConsumedWriteCapacityUnits",
            "TransactionConflict",
            "WriteThrottleEvents",
        ],
    ),
    ("AWS/Logs", &["LogGroupName"], &["IncomingBytes"]),
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")
}

/// The template with every alarm.
fn watched() -> Result<Watch> {
    let overrides = BTreeMap::from([("OutcomeBus".to_owned(), "orders".to_owned())]);
    watch::watch(&path(), &overrides, &place())
}

/// The values that a dimension may have in this stack.
fn values(stack: &Stack, dimension: &str) -> Vec<String> {
    let functions = stack.functions.values();
    match dimension {
        "ApiName" => vec!["local".to_owned()],
        "Stage" => vec![stack.api.stage.clone()],
        "QueueName" => stack
            .queues
            .values()
            .map(|queue| queue.name.clone())
            .collect(),
        "TableName" => stack
            .tables
            .values()
            .map(|table| table.name.clone())
            .collect(),
        "FunctionName" => functions.map(|function| function.name.clone()).collect(),
        "LogGroupName" => functions
            .filter_map(|function| function.log_group.clone())
            .collect(),
        _ => vec![],
    }
}

fn check(stack: &Stack, metric: &Metric) -> Result<()> {
    let known = OF_AWS
        .iter()
        .find(|(namespace, ..)| metric.namespace == *namespace);
    let (_, dimensions, names) = known.context("no such namespace")?;
    ensure!(names.contains(&&*metric.name), "no such metric");
    let keys: Vec<_> = metric.dimensions.keys().collect();
    ensure!(keys == *dimensions, "its dimensions are {dimensions:?}");
    for (dimension, value) in &metric.dimensions {
        let values = values(stack, dimension);
        ensure!(values.contains(value), "{dimension} is one of {values:?}");
    }
    Ok(())
}

#[test]
fn each_metric_of_aws_is_known_and_of_this_stack() -> Result<()> {
    let stack = load(&path(), &BTreeMap::new(), &place(), &mut |_| {
        "secret".to_owned()
    })?;
    let watch = watched()?;
    let of_alarms = watch
        .alarms
        .values()
        .flat_map(|alarm| alarm.metrics.values());
    let of_widgets = watch.widgets.iter().flat_map(|widget| &widget.metrics);
    let mut namespaces = BTreeSet::new();
    for metric in of_alarms.chain(of_widgets) {
        namespaces.insert(&*metric.namespace);
        if metric.namespace != "OrderIntake" {
            check(&stack, metric).with_context(|| format!("{metric:?}"))?;
        }
    }
    assert_eq!(namespaces.len(), OF_AWS.len() + 1, "{namespaces:?}");
    for typo in ["ApproximateNumberOfMessages", "Aproximate"] {
        let mut metric = watch.alarms["DeadLetterAlarm"].metrics["metric"].clone();
        check(&stack, &metric)?;
        metric.name = typo.to_owned();
        assert!(check(&stack, &metric).is_err());
    }
    Ok(())
}

#[test]
fn each_alarm_is_a_line_of_a_widget_that_draws_its_metrics() -> Result<()> {
    let watch = watched()?;
    for (id, alarm) in &watch.alarms {
        let names = |metrics: &mut dyn Iterator<Item = &Metric>| -> BTreeSet<_> {
            metrics
                .map(|metric| (metric.name.clone(), metric.dimensions.clone()))
                .collect()
        };
        let wanted = names(&mut alarm.metrics.values());
        let is_shown = watch.widgets.iter().any(|widget| {
            let is_line = |(label, value): &(String, f64)| {
                label.split(", ").any(|name| name == id) && (value - alarm.threshold).abs() < 1e-9
            };
            widget.lines.iter().any(is_line)
                && names(&mut widget.metrics.iter()).is_superset(&wanted)
        });
        assert!(is_shown, "{id} has no line on a widget with {wanted:?}");
    }
    let labels = watch.widgets.iter().flat_map(|widget| &widget.lines);
    for label in labels.flat_map(|(label, _)| label.split(", ")) {
        let is_known = watch.alarms.contains_key(label) || label == "MaximumConcurrency";
        assert!(is_known, "{label} is no alarm");
    }
    Ok(())
}

#[test]
fn the_pagers_alarm_fires_when_one_of_five_alarms_fires() -> Result<()> {
    let watch = watched()?;
    assert_eq!(
        watch.composites["OrdersWithoutOutcomeAlarm"],
        [
            "DeadLetterAlarm",
            "BacklogAlarm",
            "OldestMessageAlarm",
            "OutcomeTimeAlarm",
            "FailedAttemptsAlarm"
        ]
    );
    Ok(())
}
