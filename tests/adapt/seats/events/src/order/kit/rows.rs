//! The rows of what orders claim.

use serde_json::{Value, json};

/// Returns the row of a key of which this much is left, in DynamoDB's JSON.
pub fn row_of(key: &str, left: u64) -> Value {
    json!({"place": {"S": key}, "seats_left": {"N": left.to_string()}})
}

/// Returns a key's row from which nothing can be claimed.
pub fn broken_row_of(key: &str) -> Value {
    json!({"place": {"S": key}, "seats_left": {"S": "ten"}})
}

/// Returns a request's key, in DynamoDB's JSON.
pub fn request_of(key: &str) -> Value {
    json!({"place": {"S": key}})
}

/// Returns the key in a row or in a request for it.
pub fn key_of(row: &Value) -> Option<&str> {
    row["place"]["S"].as_str()
}

/// Returns how much a row has left.
pub fn left_in(row: &Value) -> Option<i64> {
    row["seats_left"]["N"].as_str()?.parse().ok()
}
