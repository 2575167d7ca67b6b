//! The wait that a client is told: by the backlog, beside the call that is under way.

use crate::faked::{
    WORKER, accept, answering, ask_by, backlog, config, ids, metrics, read, sample,
};
use anyhow::Result;
use ingest::{backlog::Backlog, status::Statuses, table::OrderTable};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// Services whose queue has so many orders visible and in flight, or can't be read; and the calls that they got.
type Calls = Arc<Mutex<Vec<&'static str>>>;

fn services(counts: Option<[&'static str; 2]>) -> (aws_types::SdkConfig, Calls) {
    let calls = Calls::default();
    let seen = calls.clone();
    let client = answering(move |request| {
        let name = match &request {
            request if request.get("AttributeNames").is_some() => "GetQueueAttributes",
            request if request.get("Key").is_some() => "GetItem",
            _ => "SendMessage",
        };
        seen.lock().expect("no panic in here").push(name);
        match (name, counts) {
            ("GetQueueAttributes", None) => (403, json!({"__type": "AccessDenied"})),
            ("GetQueueAttributes", Some([visible, in_flight])) => {
                let counts = json!({"ApproximateNumberOfMessages": visible,
                    "ApproximateNumberOfMessagesNotVisible": in_flight});
                (200, json!({"Attributes": counts}))
            }
            ("GetItem", _) => (200, json!({})),
            _ => {
                let entries = request["Entries"].as_array().into_iter().flatten();
                let stored = entries.map(|entry| json!({"Id": entry["Id"], "MessageId": "1"}));
                (
                    200,
                    json!({"MessageId": "1", "Successful": stored.collect::<Vec<_>>()}),
                )
            }
        }
    });
    let retry = aws_sdk_sqs::config::retry::RetryConfig::disabled();
    (config(client).retry_config(retry).build(), calls)
}

fn statuses(config: &aws_types::SdkConfig, backlog: Backlog) -> Result<Statuses> {
    let dynamodb = aws_sdk_dynamodb::Client::new(config);
    let table = OrderTable::new(&dynamodb, "orders".to_owned());
    Ok(Statuses {
        ids: ids()?,
        table,
        backlog,
        keep: None,
        worker_timeout: WORKER,
        metrics: metrics(),
    })
}

/// Lets what was started beside a call end.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn event(age: Option<Duration>) -> Result<Value> {
    let mut event = sample("status")?;
    if let Some(age) = age {
        let placed_at = events::Timestamp::from(SystemTime::now() - age);
        event["queryStringParameters"] = json!({"placed_at": placed_at});
    }
    Ok(event)
}

#[tokio::test]
async fn a_wait_goes_by_the_backlog_from_the_second_answer_on() -> Result<()> {
    let (config, calls) = services(Some(["900", "100"]));
    let statuses = statuses(&config, backlog(&config))?;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let answer = ask_by(&event(None)?, &statuses).await?;
        settle().await;
        waits.push(answer.headers["retry-after"].parse::<u64>()?);
    }
    // A cold start asks nothing; the second request asks, beside its own call; a thousand orders at ten a second.
    assert_eq!(waits[..2], [2, 2]);
    assert!(
        waits[2..].iter().all(|wait| (75..=125).contains(wait)),
        "{waits:?}"
    );
    let calls = calls.lock().expect("no panic in here").clone();
    assert_eq!(
        calls
            .iter()
            .filter(|call| **call == "GetQueueAttributes")
            .count(),
        1,
        "{calls:?}"
    );
    assert_eq!(calls[0], "GetItem");
    Ok(())
}

#[tokio::test]
async fn an_order_that_waits_asks_again_after_half_its_age() -> Result<()> {
    let (config, _) = services(Some(["1000", "0"]));
    let statuses = statuses(&config, backlog(&config))?;
    for _ in 0..2 {
        ask_by(&event(None)?, &statuses).await?;
        settle().await;
    }
    for (age, least, most) in [(0, 2, 2), (20, 7, 13), (100, 37, 63), (10_000, 75, 125)] {
        let answer = ask_by(&event(Some(Duration::from_secs(age)))?, &statuses).await?;
        let wait: u64 = answer.headers["retry-after"].parse()?;
        assert!((least..=most).contains(&wait), "{age}: {wait}");
    }
    // A hint that is none is left alone.
    for odd in [
        json!("soon"),
        json!(7),
        json!(["a"]),
        json!("2999-01-01T00:00:00Z"),
        Value::Null,
    ] {
        let mut event = event(None)?;
        event["queryStringParameters"] = json!({"placed_at": odd});
        assert_eq!(ask_by(&event, &statuses).await?.status, 200, "{odd}");
    }
    Ok(())
}

#[tokio::test]
async fn a_backlog_that_cannot_be_read_costs_nothing() -> Result<()> {
    for counts in [None, Some(["x", "1"]), Some(["", ""])] {
        let (config, calls) = services(counts);
        let statuses = statuses(&config, backlog(&config))?;
        for _ in 0..3 {
            let answer = ask_by(&event(Some(Duration::from_secs(1000)))?, &statuses).await?;
            settle().await;
            assert_eq!((answer.status, &*answer.headers["retry-after"]), (200, "2"));
        }
        assert!(
            calls
                .lock()
                .expect("no panic in here")
                .contains(&"GetQueueAttributes")
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_accepted_is_told_by_the_same_backlog() -> Result<()> {
    let (config, _) = services(Some(["5000", "0"]));
    let backlog = backlog(&config);
    let mut waits = Vec::new();
    for name in ["order", "batch-request", "order-http-api"] {
        let answer = accept(read(&sample(name)?)?, &config, backlog.clone()).await?;
        settle().await;
        assert_eq!(answer.status, 202, "{answer:?}");
        waits.push(answer.headers["retry-after"].parse::<u64>()?);
    }
    assert_eq!(waits[..2], [2, 2]);
    assert!(
        (225..=300).contains(&waits[2]),
        "500 s, of which 300 are told: {waits:?}"
    );
    Ok(())
}
