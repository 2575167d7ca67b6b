//! Reads what CloudWatch has to watch: alarms, and the dashboard. `local` itself watches nothing; tests compare these with
//! what the functions emit, and simulate when an alarm fires.

use super::{
    Opened,
    model::Place,
    open,
    resource::{Kind, Resource},
    yaml::Node,
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Watch {
    /// The alarms, by logical id.
    pub alarms: BTreeMap<String, Alarm>,
    /// The composite alarms, each with the logical ids of its alarms, any of which suffices.
    pub composites: BTreeMap<String, Vec<String>>,
    /// The widgets of the dashboard.
    pub widgets: Vec<Widget>,
}

/// An alarm. Missing data doesn't breach it.
#[derive(Debug, PartialEq)]
pub struct Alarm {
    /// The metric, or those that the expression uses, by their ids.
    pub metrics: BTreeMap<String, Metric>,
    /// Metric math; without it the only metric counts.
    pub expression: Option<String>,
    /// `EvaluationPeriods`
    pub periods: usize,
    /// `DatapointsToAlarm`
    pub datapoints: usize,
    /// Whether a value that equals the threshold breaches it.
    pub or_equal: bool,
    /// The threshold.
    pub threshold: f64,
}

/// A statistic of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// `AWS/SQS`
    pub namespace: String,
    /// `ApproximateNumberOfMessagesVisible`
    pub name: String,
    /// The dimensions' values, by name. A search has `*` for any value.
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `p99`, …
    pub statistic: String,
    /// Length of a datapoint.
    pub period: Duration,
}

/// A widget of the dashboard.
#[derive(Debug)]
pub struct Widget {
    /// Its title.
    pub title: String,
    /// The metrics that it draws, or computes with.
    pub metrics: Vec<Metric>,
    /// Its horizontal lines: a label, and a value.
    pub lines: Vec<(String, f64)>,
}

/// Reads the template at `path` with `overrides` of its parameters, resolved for `place`.
pub fn watch(path: &Path, overrides: &BTreeMap<String, String>, place: &Place) -> Result<Watch> {
    fs::read_to_string(path)
        .map_err(anyhow::Error::from)
        .and_then(|source| read(&source, overrides, place))
        .with_context(|| path.display().to_string())
}

fn read(source: &str, overrides: &BTreeMap<String, String>, place: &Place) -> Result<Watch> {
    let template = super::yaml::load(source)?;
    let Opened { scope, resources } = open(&template, overrides, place)?;
    let mut watch = Watch::default();
    for resource in &resources {
        let properties = |names: &[&str]| {
            let mut kept = resource.node.require("Properties")?.clone();
            if let super::yaml::Value::Map(entries) = &mut kept.value {
                entries.retain(|(name, _)| names.contains(&name.as_str()));
            }
            scope.value(&kept)
        };
        match resource.kind {
            Kind::Alarm => {
                let alarm = alarm(&properties(&ALARM)?)?;
                watch.alarms.insert(resource.id.clone(), alarm);
            }
            Kind::CompositeAlarm => {
                let rule = properties(&["AlarmRule"])?;
                let any = any_of(rule.require("AlarmRule")?, &resources)?;
                watch.composites.insert(resource.id.clone(), any);
            }
            Kind::Dashboard => {
                let body = properties(&["DashboardBody"])?;
                watch
                    .widgets
                    .extend(widgets(body.require("DashboardBody")?)?);
            }
            _ => {}
        }
    }
    Ok(watch)
}

/// The properties that say when an alarm fires.
const ALARM: [&str; 13] = [
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "MetricName",
    "Metrics",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
];

fn alarm(node: &Node) -> Result<Alarm> {
    let operator = node.require("ComparisonOperator")?;
    let or_equal = match operator.text()? {
        "GreaterThanOrEqualToThreshold" => true,
        "GreaterThanThreshold" => false,
        _ => return Err(operator.fault("isn't supported; supported: greater, or equal")),
    };
    let missing = node.require("TreatMissingData")?;
    if missing.text()? != "notBreaching" {
        return Err(missing.fault("isn't supported; supported: notBreaching"));
    }
    let mut metrics = BTreeMap::new();
    let mut expression = None;
    if let Some(queries) = node.get("Metrics") {
        for query in queries.list()? {
            let id = query.require("Id")?.text()?.to_owned();
            match query.get("MetricStat") {
                Some(metric_stat) => {
                    let of = metric_stat.require("Metric")?;
                    let statistic = metric_stat.require("Stat")?.text()?;
                    metrics.insert(id, metric(of, statistic, metric_stat.require("Period")?)?);
                }
                None if expression.is_none() => {
                    expression = Some(query.require("Expression")?.text()?.to_owned());
                }
                None => return Err(query.fault("is a second expression; one is supported")),
            }
        }
    } else {
        let statistic = node
            .get("Statistic")
            .or_else(|| node.get("ExtendedStatistic"));
        let statistic = statistic.map_or_else(|| node.require("Statistic"), Ok)?;
        let one = metric(node, statistic.text()?, node.require("Period")?)?;
        metrics.insert("metric".to_owned(), one);
    }
    let periods = node.require("EvaluationPeriods")?.number(1..=1440)?;
    let datapoints = node.get("DatapointsToAlarm");
    let datapoints = datapoints.map(|node| node.number(1..=1440)).transpose()?;
    let threshold = node.require("Threshold")?;
    Ok(Alarm {
        metrics,
        expression,
        periods,
        datapoints: datapoints.unwrap_or(periods),
        or_equal,
        threshold: threshold
            .text()?
            .parse()
            .map_err(|_| threshold.fault("a number is expected"))?,
    })
}

fn metric(node: &Node, statistic: &str, period: &Node) -> Result<Metric> {
    let mut dimensions = BTreeMap::new();
    for dimension in node.require("Dimensions")?.list()? {
        let text = |name| anyhow::Ok(dimension.require(name)?.text()?.to_owned());
        dimensions.insert(text("Name")?, text("Value")?);
    }
    Ok(Metric {
        namespace: node.require("Namespace")?.text()?.to_owned(),
        name: node.require("MetricName")?.text()?.to_owned(),
        dimensions,
        statistic: statistic.to_owned(),
        period: Duration::from_secs(period.number(60..=86400)?),
    })
}

/// The alarms in a rule, any of which suffices.
fn any_of(rule: &Node, resources: &[Resource]) -> Result<Vec<String>> {
    let one = |part: &str| {
        let arn = part.trim().strip_prefix("ALARM(\"")?.strip_suffix("\")")?;
        let (_, id) = arn.rsplit_once(':')?;
        let is_it = |resource: &&Resource| resource.kind == Kind::Alarm && resource.id == id;
        resources.iter().find(is_it).map(|_| id.to_owned())
    };
    let parts = rule.text()?.split(" OR ").map(one);
    let parts: Option<_> = parts.collect();
    parts.ok_or_else(|| rule.fault("isn't supported; supported: ALARM(\"ARN\") OR …"))
}

fn widgets(body: &Node) -> Result<Vec<Widget>> {
    let parsed: Value = serde_json::from_str(body.text()?)
        .map_err(|error| body.fault(format!("isn't JSON: {error}")))?;
    let widgets = parsed["widgets"].as_array().context("no widgets")?;
    widgets
        .iter()
        .map(|widget| {
            let properties = &widget["properties"];
            let title = properties["title"].as_str().context("no title")?;
            let metrics = properties["metrics"].as_array();
            let metrics = metrics.with_context(|| format!("{title}: no metrics"))?;
            let read = metrics.iter().map(|metric| {
                drawn(metric, properties).with_context(|| format!("{title}: {metric}"))
            });
            let lines = properties["annotations"]["horizontal"].as_array();
            let lines = lines.into_iter().flatten().map(|line| {
                let label = line["label"].as_str().context("a line without a label")?;
                let value = line["value"].as_f64().context("a line without a value")?;
                Ok((label.to_owned(), value))
            });
            Ok(Widget {
                title: title.to_owned(),
                metrics: read
                    .collect::<Result<Vec<_>>>()?
                    .into_iter()
                    .flatten()
                    .collect(),
                lines: lines.collect::<Result<_>>()?,
            })
        })
        .collect()
}

/// A metric of a widget: `["AWS/SQS", "Name", "Dimension", "value", {…}]`. `None` for an expression other than a search.
fn drawn(metric: &Value, widget: &Value) -> Result<Option<Metric>> {
    let mut parts: Vec<_> = metric.as_array().context("no list")?.iter().collect();
    let options = parts.pop_if(|last| last.is_object());
    let option = |name: &str| {
        let own = options.and_then(|options| options.get(name));
        own.or_else(|| widget.get(name))
            .cloned()
            .unwrap_or_default()
    };
    let period = option("period").as_u64().context("no period")?;
    let statistic = option("stat").as_str().context("no statistic")?.to_owned();
    let period = Duration::from_secs(period);
    if parts.is_empty() {
        let expression = option("expression");
        let expression = expression
            .as_str()
            .context("neither metric nor expression")?;
        let Some(search) = expression.strip_prefix("SEARCH('{") else {
            return Ok(None);
        };
        let (schema, rest) = search.split_once('}').context("a schema isn't closed")?;
        let (terms, _) = rest.split_once('\'').context("a search isn't closed")?;
        let mut schema = schema.split(',');
        let namespace = schema.next().unwrap_or_default().to_owned();
        let mut dimensions: BTreeMap<_, _> = schema
            .map(|name| (name.to_owned(), "*".to_owned()))
            .collect();
        let mut name = String::new();
        for term in terms.split_whitespace() {
            let (key, value) = term.split_once('=').context("a term without =")?;
            let value = value.trim_matches('"').to_owned();
            if key == "MetricName" {
                name = value;
            } else {
                let known = dimensions.get_mut(key);
                *known.with_context(|| format!("{key} isn't in the schema"))? = value;
            }
        }
        return Ok(Some(Metric {
            namespace,
            name,
            dimensions,
            statistic,
            period,
        }));
    }
    let texts: Option<Vec<_>> = parts.iter().map(|part| part.as_str()).collect();
    let texts = texts.context("a part that is no text")?;
    let [namespace, name, dimensions @ ..] = &texts[..] else {
        anyhow::bail!("no metric")
    };
    let (pairs, rest) = dimensions.as_chunks::<2>();
    ensure!(rest.is_empty(), "a dimension without a value");
    Ok(Some(Metric {
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        dimensions: pairs
            .iter()
            .map(|[name, value]| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        statistic,
        period,
    }))
}
