//! Lines of metrics, in CloudWatch's embedded metric format.

use events::Timestamp;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The namespace of the metrics.
pub const NAMESPACE: &str = "OrderIntake";

/// Maximum number of values of a metric that CloudWatch takes in a line.
pub const MOST_VALUES: usize = 100;

/// A metric's name, its unit, and its value or values.
pub type Metric = (&'static str, &'static str, Value);

/// Returns a line of what the `service` measured, with this `kind` as a second dimension.
///
/// It has the `level` that logs are set to, INFO if that is empty. Lambda drops lines of a lower level, and takes a line
/// without level and time for INFO: CloudWatch would then see no metrics.
pub fn line(
    service: &str,
    level: &str,
    kind: Option<&str>,
    metrics: impl IntoIterator<Item = Metric>,
    at: SystemTime,
) -> Value {
    let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut line = json!({
        "level": if level.is_empty() { "INFO" } else { level },
        "timestamp": Timestamp::from(at),
        "Service": service,
    });
    let mut dimensions = vec!["Service"];
    if let Some(kind) = kind {
        line["Kind"] = kind.into();
        dimensions.push("Kind");
    }
    let mut definitions = Vec::new();
    for (name, unit, value) in metrics {
        definitions.push(json!({"Name": name, "Unit": unit}));
        line[name] = value;
    }
    line["_aws"] = json!({
        "Timestamp": u64::try_from(millis.as_millis()).unwrap_or(u64::MAX),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": [dimensions],
            "Metrics": definitions,
        }],
    });
    line
}
