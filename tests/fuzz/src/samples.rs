//! The samples of `events/`, from which mutation starts.

use serde_json::{Value, json};
use std::sync::LazyLock;

/// The secret under which the samples' ids are valid.
pub const SECRET: &str = "development-secret-not-for-production";
/// Text in the samples, beside that of their orders, that identifies a client. None of it may reach a log line.
pub const PRIVATE: [&str; 2] = ["EXAMPLE-KEY-0123456789", "development-secret"];

macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!("../../../events/", $name, ".json")))
            .expect("samples are JSON")
    };
}

/// Requests to place an order, of each kind of gateway.
pub static PLACE: LazyLock<Vec<Value>> = LazyLock::new(|| {
    vec![
        sample!("order"),
        sample!("idempotent-order"),
        sample!("order-http-api"),
        sample!("order-function-url"),
        sample!("order-base64"),
        sample!("order-bad-base64"),
        sample!("order-not-utf8"),
        sample!("invalid-order"),
        sample!("not-json"),
    ]
});
/// A request to place many orders.
pub static PLACE_BATCH: LazyLock<Value> = LazyLock::new(|| sample!("batch-request"));
/// Requests for an order's status, and for the API's description.
pub static STATUS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    vec![
        sample!("status"),
        sample!("unknown-status"),
        sample!("description"),
    ]
});
/// Batches from the queue.
pub static BATCH: LazyLock<Vec<Value>> = LazyLock::new(|| vec![sample!("orders-batch")]);
/// An order's row.
pub static ROW: LazyLock<Value> = LazyLock::new(|| sample!("order-record"));

/// Bodies of orders.
pub static ORDERS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let body = |event: &Value| serde_json::from_str(event["body"].as_str()?).ok();
    PLACE.iter().filter_map(body).collect()
});
/// Bodies of batches of orders; one in four is empty.
pub static BATCHES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let body = PLACE_BATCH["body"].as_str().expect("a body");
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    vec![body.clone(), body.clone(), body, json!({"orders": []})]
});
/// Bodies of the queue's messages.
pub static MESSAGES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let body = |record: &Value| serde_json::from_str(record["body"].as_str()?).ok();
    let records = BATCH[0]["Records"].as_array().expect("a batch has records");
    let mut messages: Vec<_> = records.iter().filter_map(body).collect();
    messages.insert(0, sample!("order-placed"));
    messages
});
