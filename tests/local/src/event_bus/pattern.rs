//! Parses a rule's event pattern.

use super::error::BusError;
use quamina::Quamina;
use serde_json::{Map, Value};

/// EventBridge's limit for a pattern, in characters.
const LONGEST: usize = 4096;
/// Operators that quamina has and EventBridge doesn't. quamina parses regular expressions recursively, without a limit.
const UNKNOWN: [&str; 3] = ["regex", "regexp", "shellstyle"];

/// Parses a pattern. quamina parses JSON recursively, without a limit; serde_json, which has one, parses it first.
pub fn read(text: &str) -> Result<Quamina<()>, BusError> {
    let invalid = |why: String| Err(BusError::InvalidEventPattern(why));
    let length = text.chars().count();
    if length > LONGEST {
        return Err(BusError::invalid(format!(
            "Value at 'eventPattern' failed to satisfy constraint: Member must have length less than or equal to {LONGEST}"
        )));
    }
    let fields: Map<String, Value> = match serde_json::from_str(text) {
        Ok(fields) => fields,
        Err(error) => return invalid(error.to_string()),
    };
    if let Some(operator) = fields.values().find_map(unknown) {
        return invalid(format!("Unrecognized match type {operator}"));
    }
    // Not the original text: of duplicate members the check above sees the last, and quamina would read the first.
    let text = Value::Object(fields).to_string();
    let mut pattern = Quamina::new();
    match pattern.add_pattern((), &text) {
        Ok(()) => Ok(pattern),
        Err(error) => invalid(error.to_string()),
    }
}

/// An operator of [`UNKNOWN`], which has a text as its value; a field of that name has an array.
fn unknown(value: &Value) -> Option<&'static str> {
    match value {
        Value::Array(values) => values.iter().find_map(unknown),
        Value::Object(fields) => {
            let is_operator = |name: &&str| fields.get(*name).is_some_and(Value::is_string);
            let operator = UNKNOWN.into_iter().find(is_operator);
            operator.or_else(|| fields.values().find_map(unknown))
        }
        _ => None,
    }
}
