//! Orders to send.

pub use events::order::kit::document_of as order;
use events::{Client, Order, OrderId, OrderIds, OrderPlaced, Outcome, Secret};
use serde_json::{Value, json};
use std::time::SystemTime;

/// A key that has no row.
pub const UNKNOWN: &str = "e2e-unknown";

/// Whether a status shows this outcome.
pub fn shows(status: &Value, outcome: Outcome) -> bool {
    let expected = json!(outcome);
    ["status", "reason"]
        .into_iter()
        .all(|member| status.get(member) == expected.get(member))
}

/// The message of an order that no API has accepted. The same `id` makes it the same order.
pub fn placed(id: OrderId, order: &Value) -> anyhow::Result<OrderPlaced> {
    // Reads the order as it is read from the queue, without the API's limits.
    let order: Order = serde_json::from_value(order.clone())?;
    let client = Client::identified("e2e");
    Ok(OrderPlaced::new(
        id,
        client,
        SystemTime::now().into(),
        order,
    ))
}

/// An id that no API has issued.
pub fn new_id() -> anyhow::Result<OrderId> {
    let ids = OrderIds::new(Secret::new("not the secret of any stack at all")?, vec![]);
    Ok(ids.fresh(
        &Client::identified("e2e"),
        std::array::from_fn(|_| fastrand::u8(..)),
    ))
}

/// A fresh idempotency key.
pub fn new_key() -> String {
    format!("e2e-{:032x}", fastrand::u128(..))
}

/// An SQS event with these bodies and receive counts; the message ids are `0`, `1`, ….
pub fn sqs_event(messages: &[(String, u32)]) -> Value {
    let record = |(n, (body, receives)): (usize, &(String, u32))| {
        json!({
            "messageId": n.to_string(),
            "receiptHandle": format!("no-handle-{n}"),
            "body": body,
            "attributes": {"ApproximateReceiveCount": receives.to_string()},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        })
    };
    json!({"Records": messages.iter().enumerate().map(record).collect::<Vec<_>>()})
}
