//! The metrics and log lines that the functions emit.

use crate::{
    orders::{new_key, order},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use local::template::{
    model::Place,
    watch::{Metric, watch},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

scenarios! {
    each_metric_that_an_alarm_or_a_widget_names_is_emitted [Tables Faults]
    a_client_finds_its_refused_request_in_the_log_by_the_answers_id [Faults]
}

/// Namespace, name and dimensions.
type Name = (String, String, BTreeMap<String, String>);

async fn each_metric_that_an_alarm_or_a_widget_names_is_emitted(stack: Arc<Stack>) -> Result<()> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let overrides = BTreeMap::from([("OutcomeBus".to_owned(), "default".to_owned())]);
    let place = Place {
        api: String::new(),
        services: String::new(),
    };
    let watch = watch(&template, &overrides, &place)?;
    let of_alarms = watch
        .alarms
        .values()
        .flat_map(|alarm| alarm.metrics.values());
    let of_widgets = watch.widgets.iter().flat_map(|widget| &widget.metrics);
    let wanted: BTreeSet<_> = of_alarms
        .chain(of_widgets)
        .filter(|metric| metric.namespace == "OrderIntake")
        .map(name)
        .collect();
    ensure!(wanted.len() > 10, "{wanted:?}");

    let sku = stack.article(10).await?;
    let id = stack
        .api
        .place(&order(&[(&sku, 1)]), Some(&new_key()))
        .await?;
    stack.api.settled(&id).await?;
    let entries = [
        json!({"order": order(&[(&sku, 1)]), "idempotency_key": new_key()}),
        json!({"order": {}}),
    ];
    let results = stack.api.place_batch(&entries).await?;
    let other = results[0]["id"].as_str().context("no id")?;
    stack.api.settled(other).await?;

    let emitted = || async {
        let lambda = stack.cloud()?.lambda();
        let lines = ["IngestFunction", "StatusFunction", "ProcessFunction"]
            .into_iter()
            .flat_map(|function| lambda.log_lines(function));
        let emitted: BTreeSet<_> = lines.flat_map(|line| emitted_by(&line)).collect();
        let missing: Vec<_> = wanted.difference(&emitted).cloned().collect();
        if !missing.is_empty() {
            // Each request makes the function emit another line of metrics.
            stack
                .api
                .place(&order(&[(&sku, 1)]), Some(&new_key()))
                .await?;
            stack.api.settled(&id).await?;
            return Ok(None);
        }
        Ok(Some(()))
    };
    until("each metric was emitted", emitted).await
}

fn name(metric: &Metric) -> Name {
    let Metric {
        namespace,
        name,
        dimensions,
        ..
    } = metric.clone();
    (namespace, name, dimensions)
}

/// Returns the metrics that CloudWatch extracts from a line of the log.
fn emitted_by(line: &str) -> Vec<Name> {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let mut names = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .into_iter()
        .flatten()
    {
        for dimensions in directive["Dimensions"].as_array().into_iter().flatten() {
            let dimensions = dimensions.as_array().into_iter().flatten();
            let dimensions: BTreeMap<_, _> = dimensions
                .filter_map(|name| {
                    let name = name.as_str()?;
                    // A search expression finds any kind.
                    let value = if name == "Kind" {
                        "*"
                    } else {
                        line[name].as_str()?
                    };
                    Some((name.to_owned(), value.to_owned()))
                })
                .collect();
            for metric in directive["Metrics"].as_array().into_iter().flatten() {
                let name = metric["Name"].as_str().unwrap_or_default();
                let namespace = directive["Namespace"].as_str().unwrap_or_default();
                if line[name].is_number() || line[name].is_array() {
                    names.push((namespace.to_owned(), name.to_owned(), dimensions.clone()));
                }
            }
        }
    }
    names
}

async fn a_client_finds_its_refused_request_in_the_log_by_the_answers_id(
    stack: Arc<Stack>,
) -> Result<()> {
    let json = [("content-type", "application/json")];
    for (headers, body, kind, status) in [
        (&json[..], r#"{"lines":[]}"#, "invalid-order", 422),
        (&[], "{}", "unsupported-media-type", 415),
        (&json[..], "{", "not-json", 400),
    ] {
        let send = stack.api.send(Method::POST, "/orders", headers, body);
        let answer = send.await?;
        ensure!(answer.status == status, "{answer:?}");
        let id = answer.header("x-amzn-requestid").context("no request id")?;
        let logged = || async {
            let lines = stack.cloud()?.lambda().log_lines("IngestFunction");
            let is_it = |line: &String| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                line["span"]["apiRequestId"] == id
                    && line["kind"] == kind
                    && line["status"] == status
            };
            Ok(lines.iter().any(is_it).then_some(()))
        };
        until("the refusal is logged", logged).await?;
    }
    Ok(())
}
