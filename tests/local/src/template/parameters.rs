//! Reads `Parameters`: their values come from the overrides, otherwise from their defaults, within their bounds.

use super::yaml::Node;
use anyhow::{Result, bail, ensure};
use regex_lite::Regex;
use std::collections::BTreeMap;

const ATTRIBUTES: [&str; 10] = [
    "Type",
    "Default",
    "Description",
    "AllowedValues",
    "AllowedPattern",
    "MinValue",
    "MaxValue",
    "MinLength",
    "MaxLength",
    "ConstraintDescription",
];

/// The value of each parameter.
pub fn read(
    parameters: Option<&Node>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let declared = parameters.map_or(Ok([].as_slice()), Node::map)?;
    if let Some(name) = overrides
        .keys()
        .find(|name| !declared.iter().any(|(declared, _)| declared == *name))
    {
        let names: Vec<_> = declared.iter().map(|(name, _)| name.as_str()).collect();
        bail!(
            "{name} isn't a parameter; the template has: {}",
            names.join(", ")
        );
    }
    let mut values = BTreeMap::new();
    for (name, parameter) in declared {
        parameter.only(&ATTRIBUTES)?;
        let value = match (overrides.get(name), parameter.get("Default")) {
            (Some(value), _) => value,
            (None, Some(default)) => default.text()?,
            (None, None) => {
                return Err(parameter.fault("has no Default; give it in the parameter overrides"));
            }
        };
        check(parameter, value)?;
        values.insert(name.clone(), value.to_owned());
    }
    Ok(values)
}

fn check(parameter: &Node, value: &str) -> Result<()> {
    let kind = parameter.require("Type")?;
    let size = match kind.text()? {
        "String" => None,
        "Number" => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => return Err(parameter.fault(format!("{value:?} isn't a number"))),
        },
        _ => return Err(kind.fault("isn't supported; supported: String, Number")),
    };
    if let Some(allowed) = parameter.get("AllowedValues") {
        let allowed: Vec<_> = allowed
            .list()?
            .iter()
            .map(Node::text)
            .collect::<Result<_>>()?;
        ensure!(
            allowed.contains(&value),
            parameter.fault(format!("{value:?} isn't one of {}", allowed.join(", ")))
        );
    }
    if let Some(pattern) = parameter.get("AllowedPattern") {
        // The whole value must match, as for CloudFormation.
        let whole = format!("^(?:{})$", pattern.text()?);
        let whole = Regex::new(&whole).map_err(|error| pattern.fault(error))?;
        ensure!(
            whole.is_match(value),
            parameter.fault(format!("{value:?} doesn't match AllowedPattern"))
        );
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "no text is 2^52 characters long"
    )]
    let length = Some(value.chars().count() as f64);
    for (bound, measure, least) in [
        ("MinValue", size, true),
        ("MaxValue", size, false),
        ("MinLength", length, true),
        ("MaxLength", length, false),
    ] {
        let Some(node) = parameter.get(bound) else {
            continue;
        };
        let (Some(measure), Ok(limit)) = (measure, node.text()?.parse::<f64>()) else {
            return Err(node.fault("doesn't fit the parameter's Type"));
        };
        if (least && measure < limit) || (!least && measure > limit) {
            return Err(parameter.fault(format!("{value:?} is beyond {bound} {limit}")));
        }
    }
    Ok(())
}
