//! Makes the events for the functions: one-line orders, as the gateway and the queue deliver them.

use anyhow::Context;
use bytes::Bytes;
use events::{Client, IdempotencyKey, Order, OrderIds, OrderPlaced, Secret};
use local::sqs::md5;
use serde_json::{Value, json};

/// The secret that signs the orders' ids.
pub const SECRET: &str = "a secret of the benchmarks, and of nothing else";

/// An order for the only article.
const ORDER: &str = r#"{"lines":[{"sku":"cup","quantity":2,"unit_price":1250}],"currency":"EUR"}"#;

const ORDER_EVENT: &str = include_str!("../../../../events/order.json");
const STATUS_EVENT: &str = include_str!("../../../../events/status.json");
const ROW: &str = include_str!("../../../../events/order-record.json");
const BATCH_EVENT: &str = include_str!("../../../../events/batch-request.json");
const QUEUE_EVENT: &str = include_str!("../../../../events/orders-batch.json");

/// The event of `POST /orders`.
pub fn single() -> anyhow::Result<Bytes> {
    with_body(ORDER_EVENT, ORDER.to_owned())
}

/// The event of `POST /orders/batch` with `count` orders.
pub fn batch(count: usize) -> anyhow::Result<Bytes> {
    let order: Value = serde_json::from_str(ORDER)?;
    let orders = vec![json!({"order": order}); count];
    with_body(BATCH_EVENT, json!({"orders": orders}).to_string())
}

/// The event of `GET /orders/{id}`.
pub fn status() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(STATUS_EVENT)?;
    let id = ids(1)?.remove(0);
    event["path"] = format!("/orders/{id}").into();
    event["pathParameters"]["id"] = id.into();
    Ok(event.to_string().into())
}

/// The event of `GET /orders?ids=` for `count` orders.
pub fn statuses(count: usize) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(STATUS_EVENT)?;
    event["resource"] = "/orders".into();
    event["path"] = "/orders".into();
    event["requestContext"]["resourcePath"] = "/orders".into();
    event["requestContext"]["path"] = "/v1/orders".into();
    event["pathParameters"] = Value::Null;
    let ids = ids(count)?.join(",");
    event["queryStringParameters"] = json!({ "ids": ids });
    event["multiValueQueryStringParameters"] = json!({ "ids": [ids] });
    Ok(event.to_string().into())
}

/// Ids that were issued to the samples' client.
fn ids(count: usize) -> anyhow::Result<Vec<String>> {
    let ids = OrderIds::new(Secret::new(SECRET)?, Vec::new());
    let client = Client::identified("8f2kd91mxa");
    let id = |n: usize| {
        let key = IdempotencyKey::new(&n.to_string())?;
        Ok(ids.keyed(&client, &key).to_string())
    };
    (1..=count).map(id).collect()
}

/// The row of the order with this id. With names, only these of its attributes.
pub fn row(id: &str, names: Option<&[&str]>) -> anyhow::Result<Value> {
    let mut row: Value = serde_json::from_str(ROW)?;
    row["id"]["S"] = id.into();
    if let (Some(names), Some(attributes)) = (names, row.as_object_mut()) {
        attributes.retain(|name, _| names.contains(&name.as_str()));
    }
    Ok(row)
}

fn with_body(event: &str, body: String) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(event)?;
    event["body"] = body.into();
    Ok(event.to_string().into())
}

/// Makes batches of orders that are new in each batch.
#[derive(Debug)]
pub struct Queue {
    ids: OrderIds,
    placed: u64,
    record: Value,
    is_distinct: bool,
}

impl Queue {
    /// Starts over: two queues deliver the same orders. Those of a batch are for one article, or for an article each.
    pub fn new(is_distinct: bool) -> anyhow::Result<Self> {
        let event: Value = serde_json::from_str(QUEUE_EVENT)?;
        Ok(Self {
            ids: OrderIds::new(Secret::new(SECRET)?, Vec::new()),
            placed: 0,
            record: event["Records"][0].clone(),
            is_distinct,
        })
    }

    /// The next batch of `count` orders.
    pub fn batch(&mut self, count: usize) -> anyhow::Result<Bytes> {
        let records = (0..count).map(|_| self.record());
        let records = records.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(json!({"Records": records}).to_string().into())
    }

    fn record(&mut self) -> anyhow::Result<Value> {
        self.placed += 1;
        let mut order = ORDER.to_owned();
        if self.is_distinct {
            order = order.replace("cup", &format!("cup-{:02}", self.placed % 50));
        }
        let order = Order::parse(order.as_bytes())?;
        let client = Client::identified("8f2kd91mxa");
        let key = IdempotencyKey::new(&self.placed.to_string())?;
        let (id, placed_at) = (
            self.ids.keyed(&client, &key),
            "2026-11-22T09:00:00.120Z".parse()?,
        );
        let placed = OrderPlaced::new(id, client, placed_at, order);
        let body = placed.to_json();
        let mut record = self.record.clone();
        let message_id = record.get_mut("messageId").context("a record has an id")?;
        *message_id = json!(format!("b526aef1-a341-4fe6-a5c3-{:012}", self.placed));
        record["md5OfBody"] = json!(md5::of_body(&body));
        record["body"] = json!(body);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_order_of_the_queue_is_another_that_process_can_read() -> anyhow::Result<()> {
        let mut queue = Queue::new(false)?;
        let mut ids = HashSet::new();
        // More batches than a round delivers.
        for _ in 0..200 {
            let event: Value = serde_json::from_slice(&queue.batch(50)?)?;
            for record in event["Records"].as_array().context("no records")? {
                let body = record["body"].as_str().context("no body")?;
                assert_eq!(record["md5OfBody"], json!(md5::of_body(body)));
                ids.insert(OrderPlaced::from_json(body)?.id());
            }
        }
        assert_eq!(ids.len(), 10_000);
        Ok(())
    }

    #[test]
    fn a_request_has_as_many_orders_as_are_asked_for() -> anyhow::Result<()> {
        let event: Value = serde_json::from_slice(&batch(10)?)?;
        let body: Value = serde_json::from_str(event["body"].as_str().context("no body")?)?;
        assert_eq!(body["orders"].as_array().map(Vec::len), Some(10));
        let event: Value = serde_json::from_slice(&single()?)?;
        assert_eq!(event["body"], json!(ORDER));
        Ok(())
    }
}
