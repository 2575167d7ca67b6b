//! The samples in `events/`, each read by the code for its kind.

use crate::faked::{Answer, QUEUE, TRACE, answering, config, folder, ids, ingest, sample};
use anyhow::{Context, Result};
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_types::SdkConfig;
use events::{Client, IdempotencyKey, OrderPlaced, OrderRecord, Outcome};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

/// An AWS that answers every request like this, and records the requests.
fn aws(status: u16, body: &Value) -> (SdkConfig, Arc<Mutex<Vec<Value>>>) {
    let (requests, body) = (Arc::<Mutex<Vec<Value>>>::default(), body.clone());
    let asked = requests.clone();
    let client = answering(move |request| {
        asked.lock().expect("no panic in here").push(request);
        (status, body.clone())
    });
    let config = config(client).retry_config(RetryConfig::disabled());
    (config.build(), requests)
}

/// Returns `ingest`'s answer to a sample, and the message that it sent to the queue.
async fn accept(name: &str, sqs: u16) -> Result<(Answer, Vec<Value>)> {
    accept_with(
        name,
        sqs,
        &json!({"MessageId": "1", "MD5OfMessageBody": "2"}),
    )
    .await
}

/// Does the same with this answer of SQS.
async fn accept_with(name: &str, status: u16, body: &Value) -> Result<(Answer, Vec<Value>)> {
    let (config, requests) = aws(status, body);
    let answer = ingest(&sample(name)?, &config).await?;
    let requests = requests.lock().expect("no panic in here").clone();
    Ok((answer, requests))
}

#[tokio::test]
async fn each_request_gets_its_answer() -> Result<()> {
    let cases = BTreeMap::from([
        ("order", 202),
        ("idempotent-order", 202),
        ("order-base64", 202),
        ("order-http-api", 202),
        ("order-function-url", 202),
        ("order-bad-base64", 400),
        ("order-not-utf8", 400),
        ("not-json", 400),
        ("invalid-order", 422),
    ]);
    for (name, expected) in cases {
        let (response, sent) = accept(name, 200).await?;
        assert_eq!(response.status, expected, "{name}: {response:?}");
        assert_eq!(
            sent.len(),
            usize::from(expected == 202),
            "{name} sent {sent:?}"
        );
        let kind = if expected == 202 {
            "application/json"
        } else {
            "application/problem+json"
        };
        assert_eq!(response.headers["content-type"], kind, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn an_order_is_sent_as_the_contract_says() -> Result<()> {
    let (response, sent) = accept("order", 200).await?;
    let id = response.document()?["id"]
        .as_str()
        .context("no id")?
        .to_owned();
    let [message] = &sent[..] else {
        anyhow::bail!("{sent:?}")
    };
    assert_eq!(message["QueueUrl"], QUEUE);
    let placed = OrderPlaced::from_json(message["MessageBody"].as_str().context("no body")?)?;
    assert_eq!(placed.id().to_string(), id);
    let (placed_at, fingerprint) = (placed.placed_at(), placed.fingerprint().short());
    let location = format!("orders/{id}?placed_at={placed_at}&fingerprint={fingerprint}");
    assert_eq!(response.headers["location"], location);
    assert_eq!(message["MessageGroupId"], placed.client().message_group());
    assert_eq!(
        message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"],
        TRACE
    );
    Ok(())
}

#[tokio::test]
async fn a_queue_that_refuses_is_a_503() -> Result<()> {
    for status in [400, 403, 500, 503] {
        let (response, _) = accept("order", status).await?;
        assert_eq!(response.status, 503);
        assert_eq!(response.headers["retry-after"], "5");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_names_no_message_is_no_promise() -> Result<()> {
    // A proxy may send such an answer. SQS names each message that it has stored.
    for body in [Value::Null, json!({}), json!({"MessageId": ""})] {
        for name in ["order", "batch-request"] {
            let (response, _) = accept_with(name, 200, &body).await?;
            assert_eq!(response.status, 503, "{name}, {body}");
            assert_eq!(response.headers["retry-after"], "5");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_retry_has_the_id_of_the_first() -> Result<()> {
    let event = sample("idempotent-order")?;
    let header = event["headers"].as_object().context("no headers")?.iter();
    let key = header
        .filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
        .find_map(|(_, key)| key.as_str());
    let client = event["requestContext"]["identity"]["apiKeyId"]
        .as_str()
        .context("no client")?;
    let key = IdempotencyKey::new(key.context("no key")?)?;
    let expected = ids()?.keyed(&Client::identified(client), &key).to_string();
    for _ in 0..2 {
        let (response, _) = accept("idempotent-order", 200).await?;
        assert_eq!(response.document()?["id"], expected);
    }
    Ok(())
}

#[test]
fn a_message_and_its_row_are_of_the_same_order() -> Result<()> {
    let placed = OrderPlaced::from_json(&sample("order-placed")?.to_string())?;
    let row: BTreeMap<String, serde_dynamo::AttributeValue> =
        serde_json::from_value(sample("order-record")?)?;
    let record: OrderRecord =
        serde_dynamo::from_item(row.into_iter().collect::<std::collections::HashMap<_, _>>())?;
    assert_eq!(
        record,
        OrderRecord::new(placed, Outcome::Confirmed, record.processed_at)
    );
    Ok(())
}

#[test]
fn every_sample_is_read_by_a_test() -> Result<()> {
    // Here, in `batch.rs`, `description.rs` and `status.rs`, in `process/src/records/tests.rs`, `events/tests/contract/outcome_event.rs`, and by
    // `local`.
    let read = [
        "articles",
        "batch-request",
        "description",
        "idempotent-order",
        "invalid-order",
        "not-json",
        "order",
        "order-bad-base64",
        "order-base64",
        "order-confirmed",
        "order-failed",
        "order-function-url",
        "order-http-api",
        "order-not-utf8",
        "order-placed",
        "order-record",
        "order-rejected",
        "orders-batch",
        "status",
        "unknown-status",
    ];
    let files = fs::read_dir(folder())?.collect::<Result<Vec<_>, _>>()?;
    let names = files
        .iter()
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<_> = names.filter(|name| name != "env").collect();
    names.sort();
    assert_eq!(names, read);
    Ok(())
}
