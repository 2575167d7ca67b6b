//! Samples and the description's examples are what the code makes of the orders in `src/order/samples.json`.
//!
//! `REGENERATE=1 cargo test --test contract samples` writes them. Without it, the test fails where one differs.

mod examples;

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use events::{Client, Order, OrderId, OrderPlaced, OrderRecord, Outcome, OutcomeEvent, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use std::{env, fs};

/// Orders as clients send them, each on one line: bodies repeat them to the byte.
#[derive(Deserialize)]
struct Orders {
    order: Box<RawValue>,
    other: Box<RawValue>,
    invalid: Box<RawValue>,
    rejected: Outcome,
    /// The orders in `orders-batch.json`.
    placed: Vec<Order>,
}

fn orders() -> Result<Orders> {
    let text = fs::read_to_string("src/order/samples.json")?;
    serde_json::from_str(&text).context("src/order/samples.json")
}

/// Writes a file, or checks that it is as expected.
fn keep(name: &str, expected: &str) -> Result<()> {
    if env::var_os("REGENERATE").is_some() {
        return Ok(fs::write(name, expected)?);
    }
    let found = fs::read_to_string(name)?;
    ensure!(
        found == expected,
        "{name} is not what the code makes of src/order/samples.json. This writes it:\n\
         REGENERATE=1 cargo test --test contract samples"
    );
    Ok(())
}

/// Returns a JSON text, of one member a line, with these values of the members of this name, in their sequence.
fn with<V: Serialize>(
    text: &str,
    name: &str,
    values: impl IntoIterator<Item = V>,
) -> Result<String> {
    let start = format!("{}: ", json!(name));
    let mut values = values.into_iter();
    let mut changed = String::new();
    for line in text.lines() {
        let member = line.trim_start();
        if let Some(old) = member.strip_prefix(&start)
            && let Some(new) = values.next()
        {
            changed += &line[..line.len() - old.len()];
            changed += &serde_json::to_string(&new)?;
            changed += if old.ends_with(',') { "," } else { "" };
        } else {
            changed += line;
        }
        changed.push('\n');
    }
    ensure!(values.next().is_none(), "too few members {name}");
    Ok(changed)
}

#[test]
fn samples_and_examples_have_the_orders() -> Result<()> {
    // One after the other: some read what others write.
    requests()?;
    messages()?;
    row_and_events()?;
    examples::write()
}

/// Requests have the orders in their bodies.
fn requests() -> Result<()> {
    let orders = orders()?;
    let order = orders.order.get();
    ensure!(order.is_ascii(), "its base64 and its halves must be text");
    let request = |name: &str, body: &str| {
        let file = format!("{name}.json");
        let mut text = with(&fs::read_to_string(&file)?, "body", [body])?;
        if text.contains(r#""content-length""#) {
            text = with(&text, "content-length", [body.len().to_string()])?;
        }
        keep(&file, &text)
    };
    for name in [
        "order",
        "idempotent-order",
        "order-http-api",
        "order-function-url",
    ] {
        request(name, order)?;
    }
    request("invalid-order", orders.invalid.get())?;
    request("not-json", &order[..order.len() / 2])?;
    request("order-base64", &BASE64_STANDARD.encode(order))?;
    request(
        "order-bad-base64",
        &format!("{}!!!", BASE64_STANDARD.encode(&order[..9])),
    )?;
    // As from a client that writes Latin-1.
    let mut latin = order.as_bytes().to_vec();
    latin.insert(order.rfind('"').context("no text")?, 0xe9);
    request("order-not-utf8", &BASE64_STANDARD.encode(latin))?;

    let (other, invalid) = (orders.other.get(), orders.invalid.get());
    let keyed =
        |order: &str, key: &str| format!(r#"{{"order":{order},"idempotency_key":"{key}"}}"#);
    let entries = [
        keyed(order, "PO-2026-1187"),
        keyed(invalid, "PO-2026-1188"),
        format!(r#"{{"order":{other}}}"#),
        keyed(other, "two words"),
        format!(r#"{{"ordr":{other}}}"#),
        keyed(order, "PO-2026-1187"),
    ];
    request(
        "batch-request",
        &format!(r#"{{"orders":[{}]}}"#, entries.join(",")),
    )
}

/// What a sample has beside its order.
#[derive(Deserialize)]
struct Header {
    id: OrderId,
    client: Client,
    placed_at: Timestamp,
    version: u64,
}

impl Header {
    fn place(self, order: Order) -> OrderPlaced {
        OrderPlaced::new(self.id, self.client, self.placed_at, order)
    }
}

fn placed() -> Result<OrderPlaced> {
    let header: Header = serde_json::from_str(&fs::read_to_string("order-placed.json")?)?;
    let order = serde_json::from_str(orders()?.order.get())?;
    Ok(header.place(order))
}

/// Messages have the orders with their fingerprints, and a batch has their checksums.
fn messages() -> Result<()> {
    let message = serde_json::to_string_pretty(&placed()?)?;
    let (kind, version) = (events::placed::TYPE, events::placed::VERSION);
    let envelope = format!("{{\n  \"type\": \"{kind}\",\n  \"version\": {version},");
    keep(
        "order-placed.json",
        &format!("{}\n", message.replacen('{', &envelope, 1)),
    )?;

    let text = fs::read_to_string("orders-batch.json")?;
    let batch: Value = serde_json::from_str(&text)?;
    let mut orders = orders()?.placed.into_iter();
    let mut bodies = vec![];
    for record in batch["Records"].as_array().context("no records")? {
        let body = record["body"].as_str().context("no body")?;
        bodies.push(match serde_json::from_str::<Header>(body) {
            Ok(header) => {
                let written = format!(r#""version":{}"#, header.version);
                let placed = header.place(orders.next().context("too few orders")?);
                placed
                    .to_json()
                    .replacen(&format!(r#""version":{version}"#), &written, 1)
            }
            Err(_) => body.to_owned(),
        });
    }
    ensure!(orders.next().is_none(), "too many orders");
    let sums: Vec<_> = bodies
        .iter()
        .map(|body| format!("{:x}", md5::compute(body)))
        .collect();
    keep(
        "orders-batch.json",
        &with(&with(&text, "body", bodies)?, "md5OfBody", sums)?,
    )
}

/// Returns a value in DynamoDB's JSON.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(_) => json!({"M": attributes(value)}),
    }
}

fn attributes(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect()
}

/// The row and the events have the order of the message.
fn row_and_events() -> Result<()> {
    let row: Value = serde_json::from_str(&fs::read_to_string("order-record.json")?)?;
    let at = row["processed_at"]["S"]
        .as_str()
        .context("no time")?
        .parse()?;
    let row = serde_json::to_value(OrderRecord::new(placed()?, Outcome::Confirmed, at))?;
    keep("order-record.json", &format!("{:#}\n", attributes(&row)))?;

    for (name, outcome) in [
        ("order-confirmed.json", Outcome::Confirmed),
        ("order-rejected.json", orders()?.rejected),
        ("order-failed.json", Outcome::Failed),
    ] {
        let text = fs::read_to_string(name)?;
        let event: Value = serde_json::from_str(&text)?;
        let at = event["detail"]["processed_at"]
            .as_str()
            .context("no time")?
            .parse()?;
        let placed = placed()?;
        let event = OutcomeEvent::new(&placed, outcome, placed.placed_at(), at);
        let start = r#"  "detail": "#;
        let (header, _) = text.split_once(start).context("no detail")?;
        let detail = serde_json::to_string_pretty(&event)?.replace('\n', "\n  ");
        let text = format!("{header}{start}{detail}\n}}\n");
        keep(name, &with(&text, "detail-type", [outcome.detail_type()])?)?;
    }
    Ok(())
}
