//! The document that a client sends, and the API's rules for it.

use crate::{
    json::{self, optional, required},
    violation::{Pointer, Violations},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

/// Most characters of a text.
pub const MAX_TEXT: usize = 100;
/// Most guests that somebody may bring.
pub const MAX_GUESTS: u64 = 1_000_000;

/// A valid order: [`Order::parse`] applies every rule of the API, and a stored one (`Deserialize`) has its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    event: String,
    guests: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Fields of a later version, kept on the way from the message to the row.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Order {
    /// Returns what somebody signs up for.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Returns the number of guests.
    pub fn guests(&self) -> u64 {
        self.guests
    }

    /// Returns who signs up.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Reads an order, and collects its violations.
pub(super) fn read(
    value: &RawValue,
    root: &Pointer<'_>,
    violations: &mut Violations,
) -> Option<Order> {
    let [event, guests, name] = json::object(value, root, ["event", "guests", "name"], violations)?;
    let at = Pointer::Member(root, "event");
    let event = required(event, &at, violations).and_then(|value| text(value, &at, violations));
    let at = Pointer::Member(root, "guests");
    let guests = required(guests, &at, violations)
        .and_then(|value| json::integer(value, &at, (0, MAX_GUESTS), violations));
    let at = Pointer::Member(root, "name");
    let name = optional(name).and_then(|value| text(value, &at, violations));
    Some(Order {
        event: event?,
        guests: guests?,
        name,
        unknown: Map::new(),
    })
}

fn text(value: &RawValue, at: &Pointer<'_>, violations: &mut Violations) -> Option<String> {
    let text = json::string(value, at, violations)?;
    if !(1..=MAX_TEXT).contains(&text.chars().count()) {
        violations.add(at, format!("must have 1 to {MAX_TEXT} characters"));
    }
    if text.chars().any(char::is_control) {
        violations.add(at, "must have no control characters");
    }
    Some(text.into())
}
