//! The wait that a client reads follows the rows that the environment has returned, and needs no other call.

use crate::faked::{accept, answering, ask_by, config, read, rest, sample, statuses};
use anyhow::{Context as _, Result};
use events::{OrderId, Timestamp};
use ingest::statuses::Statuses;
use serde_json::{Map, Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// The calls that a function made, each by its distinguishing member.
type Calls = Arc<Mutex<Vec<Value>>>;

fn at(ago: f64) -> Timestamp {
    (SystemTime::now() - Duration::from_secs_f64(ago)).into()
}

fn id(n: u8) -> Result<OrderId> {
    let client = events::Client::identified("ann");
    Ok(crate::faked::ids()?.fresh(&client, [n; 12]))
}

/// Returns statuses whose table has a hundred orders with this status. In the last twenty seconds one was processed each 200
/// ms; each had been placed 40 ms after the one before; the last had waited a minute.
fn spike(status: &str) -> Result<Statuses> {
    let mut rows = Map::new();
    for n in 1..=100 {
        let left = 0.2 * f64::from(100 - n);
        let mut row = sample("order-record")?;
        let id = id(n)?.to_string();
        row["id"] = json!({"S": id});
        row["client"] = json!({"S": "ann"});
        row["status"] = json!({"S": status});
        if status == "rejected" {
            row["reason"] = json!({"S": "out_of_stock"});
        }
        row["placed_at"] = json!({"S": at(60.0 + left / 5.0)});
        row["processed_at"] = json!({"S": at(left)});
        rows.insert(id, row);
    }
    let client = answering(move |request| {
        if let Some(id) = request["Key"]["id"]["S"].as_str() {
            let row = rows.get(id);
            return (200, row.map_or(json!({}), |row| json!({"Item": row})));
        }
        let keys = request["RequestItems"]["orders"]["Keys"].as_array();
        let keys = keys.into_iter().flatten();
        let found = keys.filter_map(|key| rows.get(key["id"]["S"].as_str()?));
        (
            200,
            json!({"Responses": {"orders": found.collect::<Vec<_>>()}}),
        )
    });
    statuses(&config(client).build())
}

/// An event that asks for an order placed this many seconds ago.
fn event(id: OrderId, ago: f64) -> Value {
    let path = format!("/orders/{id}");
    get("/orders/{id}", &path, &json!({"placed_at": at(ago)}))
}

/// An event that asks for many orders.
fn many(ids: impl Iterator<Item = u8>, ago: f64) -> Result<Value> {
    let ids: Vec<_> = ids.map(|n| Ok(id(n)?.to_string())).collect::<Result<_>>()?;
    let query = json!({"ids": ids.join(","), "placed_at": at(ago)});
    Ok(get("/orders", "/orders", &query))
}

fn get(resource: &str, path: &str, query: &Value) -> Value {
    let context = json!({"identity": {"apiKeyId": "ann"}});
    rest(
        json!({"httpMethod": "GET", "resource": resource, "path": path, "requestContext": context,
        "queryStringParameters": query}),
    )
}

async fn wait(event: &Value, statuses: &Statuses) -> Result<u64> {
    let answer = ask_by(event, statuses).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let wait = answer.headers.get("retry-after").context("no wait")?;
    Ok(wait.parse()?)
}

#[tokio::test]
async fn an_order_waits_for_its_turn_as_the_rows_show_it() -> Result<()> {
    // It was placed 58 s after the orders being settled now; a second settles a fifth of a second of placing time.
    let its_turn = 270..=380;
    let one = spike("confirmed")?;
    for n in 1..=100 {
        let answer = ask_by(&event(id(n)?, 60.0), &one).await?;
        assert!(!answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    let waited = wait(&event(id(200)?, 2.0), &one).await?;
    assert!(its_turn.contains(&waited), "{waited}");
    let hundred = spike("rejected")?;
    let answer = ask_by(&many(1..=100, 60.0)?, &hundred).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.headers.contains_key("retry-after"), "{answer:?}");
    let waited = wait(&many(199..=201, 2.0)?, &hundred).await?;
    assert!(its_turn.contains(&waited), "{waited}");
    Ok(())
}

#[tokio::test]
async fn failed_orders_say_nothing_about_the_pace() -> Result<()> {
    let mut failed = spike("failed")?;
    failed.worker_timeout = Duration::ZERO;
    ask_by(&many(1..=100, 60.0)?, &failed).await?;
    let waited = wait(&event(id(200)?, 2.0), &failed).await?;
    assert!((2..=12).contains(&waited), "{waited}");
    Ok(())
}

#[tokio::test]
async fn a_hint_that_is_invalid_counts_as_absent() -> Result<()> {
    for odd in [
        json!("soon"),
        json!(7),
        json!(["a"]),
        json!("2999-01-01T00:00:00Z"),
        json!("0001-01-01T00:00:00Z"),
        Value::Null,
    ] {
        let statuses = spike("confirmed")?;
        let mut event = event(id(200)?, 2.0);
        event["queryStringParameters"] = json!({"placed_at": odd});
        let waited = wait(&event, &statuses).await?;
        assert!((2..=385).contains(&waited), "{odd}: {waited}");
    }
    Ok(())
}

#[tokio::test]
async fn an_order_is_accepted_by_one_call_and_its_client_asks_in_two_seconds() -> Result<()> {
    let calls = Calls::default();
    let seen = calls.clone();
    let client = answering(move |request| {
        let entries = request["Entries"].as_array().into_iter().flatten();
        let stored = entries.map(|entry| json!({"Id": entry["Id"], "MessageId": "1"}));
        let answer = json!({"MessageId": "1", "Successful": stored.collect::<Vec<_>>()});
        seen.lock().expect("no panic in here").push(request);
        (200, answer)
    });
    let config = config(client).build();
    for name in ["order", "batch-request", "order-http-api"] {
        let answer = accept(read(&sample(name)?)?, &config).await?;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!((answer.status, &*answer.headers["retry-after"]), (202, "2"));
    }
    let calls = calls.lock().expect("no panic in here");
    let sends = calls
        .iter()
        .filter(|call| call.get("MessageBody").is_some() || call.get("Entries").is_some());
    assert_eq!((calls.len(), sends.count()), (3, 3), "{calls:?}");
    Ok(())
}
