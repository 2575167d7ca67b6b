//! `POST /orders/batch`: orders are `checked`, and some are `refused` by SQS.

mod checked;
mod refused;

use crate::faked::{Answer, QUEUE, answering, config, ingest, sample};
use anyhow::{Context, Result};
use aws_sdk_sqs::config::HttpClient;
use events::Fingerprint;
use ingest::config::timeouts;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The entries of each call, oldest first.
type Calls = Arc<Mutex<Vec<Vec<Value>>>>;

/// Returns a client of SQS that answers the entries of each call by this function, and records them.
fn sqs(
    answer: impl Fn(&[Value]) -> (u16, Value) + Send + Sync + 'static,
) -> (impl HttpClient + 'static, Calls) {
    let calls = Calls::default();
    let kept = calls.clone();
    let client = answering(move |request| {
        assert_eq!(request["QueueUrl"], QUEUE);
        let entries = request["Entries"].as_array().expect("entries").clone();
        let answered = answer(&entries);
        kept.lock().expect("no panic in here").push(entries);
        answered
    });
    (client, calls)
}

/// SQS stores everything.
fn stored(entries: &[Value]) -> (u16, Value) {
    let stored =
        |entry: &Value| json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "2"});
    (
        200,
        json!({"Successful": entries.iter().map(stored).collect::<Vec<_>>()}),
    )
}

/// An order for one piece of this article.
fn order(sku: &str) -> Value {
    json!({"lines": [{"sku": sku, "quantity": 1, "unit_price": 250}], "currency": "EUR"})
}

/// A batch with one order for each of these articles.
fn batch<'a>(skus: impl IntoIterator<Item = &'a str>) -> Value {
    let entry = |sku| json!({"order": order(sku)});
    json!({"orders": skus.into_iter().map(entry).collect::<Vec<_>>()})
}

/// Returns the event of a request with this body.
fn event(body: &(impl ToString + ?Sized)) -> Result<Value> {
    let mut event = sample("batch-request")?;
    event["body"] = body.to_string().into();
    Ok(event)
}

/// Returns the function's answer to an event, with this client of SQS.
async fn answer(event: Value, sqs: impl HttpClient + 'static) -> Result<Answer> {
    let config = config(sqs).timeout_config(timeouts()).build();
    ingest(&event, &config).await
}

/// Returns the function's answer to a body when SQS stores everything, and the entries of each call.
async fn accept(body: &(impl ToString + ?Sized)) -> Result<(Answer, Vec<Vec<Value>>)> {
    let (client, calls) = sqs(stored);
    let response = answer(event(body)?, client).await?;
    let calls = calls.lock().expect("no panic in here").clone();
    Ok((response, calls))
}

/// Returns the results in an answer; each must have a status.
fn results(answer: &Answer) -> Result<Vec<Value>> {
    let body = answer.document()?;
    let results = body["results"]
        .as_array()
        .with_context(|| body.to_string())?;
    let accepted = results
        .iter()
        .filter(|result| result["status"] == 202)
        .count();
    assert_eq!(body["accepted"], accepted, "{body}");
    Ok(results.clone())
}

/// Returns the statuses in an answer.
fn statuses(answer: &Answer) -> Result<Vec<u64>> {
    let statuses = results(answer)?;
    let statuses = statuses.iter().map(|result| result["status"].as_u64());
    statuses.collect::<Option<_>>().context("no status")
}

#[tokio::test]
async fn a_location_leads_from_a_batch_to_its_orders() -> Result<()> {
    let at = async |slashes: usize| {
        let path = "/orders/batch".to_owned() + &"/".repeat(slashes);
        let mut event = event(&batch(["cup", "pot"]))?;
        event["requestContext"]["path"] = json!(format!("/v1{path}"));
        event["path"] = json!(path);
        let answer = answer(event, sqs(stored).0).await?;
        assert_eq!(answer.status, 202);
        let ids: Vec<_> = results(&answer)?
            .iter()
            .map(|one| one["id"].clone())
            .collect();
        anyhow::Ok((answer.headers.get("location").cloned(), ids))
    };
    let fingerprint = |sku: &str| {
        let order = serde_json::from_value(order(sku))?;
        anyhow::Ok(Fingerprint::of(&order).as_str()[..8].to_owned())
    };
    for (slashes, up) in [(0, "../"), (1, "../../"), (16, &*"../".repeat(17))] {
        let (location, ids) = at(slashes).await?;
        let location = location.context("no location")?;
        let text = |n: usize| ids[n].as_str().unwrap_or_default();
        let expected = format!(
            "{up}orders?ids={}.{},{}.{}&placed_at=",
            text(0),
            fingerprint("cup")?,
            text(1),
            fingerprint("pot")?
        );
        assert!(location.starts_with(&expected), "{location}");
    }
    // The header would be too long for a gateway with this many steps, and with fewer would lead elsewhere.
    for slashes in [17, 10_000] {
        assert_eq!(at(slashes).await?.0, None, "{slashes}");
    }
    Ok(())
}
