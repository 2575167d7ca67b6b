//! Evaluates `Conditions` once, from the parameters.

use super::{
    resolve::Scope,
    yaml::{Node, Value},
};
use anyhow::Result;
use std::collections::BTreeMap;

/// The value of each condition.
pub fn evaluate(conditions: &Node, scope: &Scope) -> Result<BTreeMap<String, bool>> {
    conditions
        .map()?
        .iter()
        .map(|(name, node)| {
            Ok((
                name.clone(),
                holds(node, conditions, scope, &mut vec![name])?,
            ))
        })
        .collect()
}

/// `trail` has the conditions that led here, to detect circles.
fn holds<'t>(
    node: &'t Node,
    conditions: &'t Node,
    scope: &Scope,
    trail: &mut Vec<&'t str>,
) -> Result<bool> {
    let (function, argument) = match &node.value {
        Value::Call(function, argument) => (function.as_str(), &**argument),
        // The long form of `!Condition` has no `Fn::`.
        Value::Map(entries) => match entries.as_slice() {
            [(key, argument)] if key == "Condition" => ("Condition", argument),
            _ => return Err(unsupported(node)),
        },
        _ => return Err(unsupported(node)),
    };
    match function {
        "Equals" => match argument.list()? {
            [left, right] => Ok(scope.value(left)?.text()? == scope.value(right)?.text()?),
            _ => Err(argument.fault("Equals takes two values")),
        },
        "Not" => match argument.list()? {
            [inner] => Ok(!holds(inner, conditions, scope, trail)?),
            _ => Err(argument.fault("Not takes one condition")),
        },
        "And" | "Or" => {
            let mut results = Vec::new();
            for inner in argument.list()? {
                results.push(holds(inner, conditions, scope, trail)?);
            }
            Ok(match function {
                "And" => results.iter().all(|holds| *holds),
                _ => results.iter().any(|holds| *holds),
            })
        }
        "Condition" => {
            let name = argument.text()?;
            let Some(inner) = conditions.get(name) else {
                return Err(argument.fault(format!("there is no condition {name}")));
            };
            if trail.contains(&name) {
                return Err(argument.fault(format!("{name} depends on itself")));
            }
            trail.push(name);
            let result = holds(inner, conditions, scope, trail);
            trail.pop();
            result
        }
        _ => Err(unsupported(node)),
    }
}

fn unsupported(node: &Node) -> anyhow::Error {
    node.fault("isn't a condition; supported: Equals, Not, And, Or, Condition")
}
