//! `GET /orders/{id}`. `owner` tests whose order it is, and which one.

mod owner;

use crate::faked::{Answer, answering, ask, ask_by, config, sample, statuses};
use anyhow::{Context as _, Result};
use aws_sdk_sqs::config::retry::RetryConfig;
use events::Timestamp;
use function::logs::kit::Log;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use tracing::level_filters::LevelFilter;

/// Returns the function's answer to a sample when the table answers like this.
async fn answer(name: &str, status: u16, table: Value) -> Result<Answer> {
    let client = answering(move |_| (status, table.clone()));
    let config = config(client).retry_config(RetryConfig::disabled());
    ask(&sample(name)?, &config.build()).await
}

#[tokio::test]
async fn a_row_is_shown_without_what_is_not_the_clients_business() -> Result<()> {
    let answer = answer("status", 200, json!({"Item": sample("order-record")?})).await?;
    assert_eq!(answer.status, 200);
    let shown = answer.document()?;
    assert_eq!(
        (&shown["status"], &shown["total"]),
        (&json!("confirmed"), &json!(7400))
    );
    assert!(
        shown.get("client").is_none() && shown.get("fingerprint").is_none(),
        "{shown}"
    );
    Ok(())
}

#[tokio::test]
async fn an_order_without_a_row_is_queued_and_another_id_unknown() -> Result<()> {
    let queued = answer("status", 200, json!({})).await?;
    assert_eq!(queued.status, 200);
    assert!(queued.headers.contains_key("retry-after"), "{queued:?}");
    assert_eq!(queued.document()?["status"], "queued");
    let unknown = answer("unknown-status", 200, json!({})).await?;
    assert_eq!(unknown.status, 404);
    Ok(())
}

#[tokio::test]
async fn an_order_whose_row_has_expired_is_no_longer_queued() -> Result<()> {
    let days = |days: u64| SystemTime::now() - Duration::from_hours(days * 24);
    let config = config(answering(|_| (200, json!({})))).build();
    let mut statuses = statuses(&config)?;
    for (keep, placed_at, expected) in [
        (Some(30), Some(days(30)), 404),
        (Some(30), Some(days(3650)), 404),
        (Some(30), Some(days(29)), 200),
        (Some(365), Some(days(364)), 200),
        (Some(365), Some(days(365)), 404),
        (Some(30), Some(days(0) + Duration::from_hours(1)), 200),
        (Some(30), None, 200),
        (None, Some(days(3650)), 200),
    ] {
        statuses.keep = keep.map(|days: u64| Duration::from_hours(days * 24));
        let mut event = sample("status")?;
        let hint = placed_at.map(|time| json!({"placed_at": Timestamp::from(time)}));
        event["queryStringParameters"] = json!(hint);
        let answer = ask_by(&event, &statuses).await?;
        assert_eq!(answer.status, expected, "{keep:?} {hint:?}");
        let document = answer.document()?;
        match expected {
            404 => assert_eq!(document["detail"], "The order's outcome is no longer kept."),
            _ => assert_eq!(document["status"], "queued"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_row_counts_until_it_expires_and_not_until_it_is_deleted() -> Result<()> {
    let now = Timestamp::from(SystemTime::now()).seconds();
    let hint = "2020-01-01T00:00:00Z";
    for (expires_at, hint, expected) in [
        (
            json!({"N": (now + 60).to_string()}),
            Some(hint),
            "confirmed",
        ),
        (json!({"N": (now - 60).to_string()}), Some(hint), "404"),
        (json!({"N": "1"}), Some(hint), "404"),
        // It counts as deleted.
        (json!({"N": "1"}), None, "queued"),
        // A value that an operator mistyped doesn't hide a row.
        (json!({"S": "1"}), Some(hint), "confirmed"),
    ] {
        let mut row = sample("order-record")?;
        row["expires_at"] = expires_at.clone();
        let config = config(answering(move |_| (200, json!({"Item": row})))).build();
        let mut statuses = statuses(&config)?;
        statuses.keep = Some(Duration::from_hours(30 * 24));
        let mut event = sample("status")?;
        event["queryStringParameters"] = json!({"placed_at": hint});
        let answer = ask_by(&event, &statuses).await?;
        let shown = answer.document()?;
        let status = shown["status"].to_string();
        assert_eq!(status.trim_matches('"'), expected, "{expires_at} {hint:?}");
        assert_eq!(shown.get("expires_at"), None);
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_order_is_queued_for_as_long_as_its_worker_may_try() -> Result<()> {
    let now = SystemTime::now();
    let check = async |status: &str, at: SystemTime, worker: u64, expected: &str| {
        let mut row = sample("order-record")?;
        row["status"] = json!({"S": status});
        row["processed_at"] = json!({"S": Timestamp::from(at)});
        let config = config(answering(move |_| (200, json!({"Item": row})))).build();
        let mut statuses = statuses(&config)?;
        statuses.worker_timeout = Duration::from_secs(worker);
        let answer = ask_by(&sample("status")?, &statuses).await?;
        let shown = answer.document()?;
        assert_eq!(shown["status"], expected, "{status} {worker}");
        let is_queued = expected == "queued";
        assert_eq!(answer.headers.contains_key("retry-after"), is_queued);
        assert_eq!(shown.get("order").is_none(), is_queued);
        anyhow::Ok(())
    };
    let ago = |seconds| now - Duration::from_secs(seconds);
    check("failed", now, 150, "queued").await?;
    check("failed", ago(140), 150, "queued").await?;
    check("failed", ago(150), 150, "failed").await?;
    check("failed", ago(10), 5, "failed").await?;
    check("failed", ago(890), 900, "queued").await?;
    check("failed", ago(864_000), 900, "failed").await?;
    // The worker's clock is ahead.
    check("failed", now + Duration::from_mins(1), 150, "queued").await?;
    check("confirmed", now, 150, "confirmed").await
}

/// Asks for the sample's order, by its path or among others.
fn question(is_one: bool, query: Value) -> Result<Value> {
    let mut event = sample("status")?;
    let id = event["pathParameters"]["id"].clone();
    event["queryStringParameters"] = query;
    event["multiValueQueryStringParameters"] = Value::Null;
    if !is_one {
        (event["path"], event["resource"]) = (json!("/orders"), json!("/orders"));
        event["pathParameters"] = Value::Null;
        event["queryStringParameters"]["ids"] = id;
    }
    Ok(event)
}

#[tokio::test]
async fn an_empty_answer_is_no_missing_row() -> Result<()> {
    for is_one in [true, false] {
        let config = config(answering(|_| (200, Value::Null)));
        let config = config.retry_config(RetryConfig::disabled()).build();
        let answer = ask(&question(is_one, json!({}))?, &config).await?;
        assert_eq!(answer.status, 503, "{is_one}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_placed_again_after_it_failed_waits_for_its_new_message() -> Result<()> {
    let check = async |is_one, asked: &str, expected: &str| {
        let mut row = sample("order-record")?;
        row["status"] = json!({"S": "failed"});
        row["placed_at"] = json!({"S": "2026-11-22T09:00:00.000Z"});
        row["processed_at"] = json!({"S": "2026-11-22T09:00:05.000Z"});
        row["id"] = json!({"S": sample("status")?["pathParameters"]["id"]});
        let rows = json!({"Item": row, "Responses": {"orders": [row]}});
        let config = config(answering(move |_| (200, rows.clone()))).build();
        let event = question(is_one, json!({"placed_at": asked}))?;
        let answer = ask(&event, &config).await?;
        let shown = answer.document()?;
        let status = shown
            .pointer("/results/0/status")
            .unwrap_or(&shown["status"]);
        assert_eq!(status, expected, "{is_one}, {asked}: {shown}");
        assert_eq!(
            answer.headers.contains_key("retry-after"),
            expected == "queued"
        );
        anyhow::Ok(())
    };
    for is_one in [true, false] {
        check(is_one, "2026-11-22T08:00:00.000Z", "failed").await?;
        check(is_one, "2026-11-22T09:00:00.000Z", "failed").await?;
        check(is_one, "2026-11-22T09:00:05.001Z", "queued").await?;
        check(is_one, "2026-11-23T09:00:00.000Z", "queued").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_asks_again_after_a_table_that_does_not_answer() -> Result<()> {
    for status in [400, 403, 500, 503] {
        let answer = answer("status", status, json!({})).await?;
        let wait: u64 = answer.headers["retry-after"].parse()?;
        assert_eq!(answer.status, 503);
        assert!((2..=5).contains(&wait), "{wait}");
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_not_asked_for_again_and_its_error_is_logged() -> Result<()> {
    let log = Log::default();
    let _guard = log.listen(LevelFilter::INFO);
    let check = async |member: &str, value: Value, logged: &str| {
        let mut row = sample("order-record")?;
        row[member] = value;
        let answer = answer("status", 200, json!({"Item": row})).await?;
        assert_eq!(answer.status, 500);
        assert!(!answer.headers.contains_key("retry-after"), "{answer:?}");
        let problem = answer.document()?;
        assert_eq!(
            (&problem["type"], &problem["title"]),
            (&json!("about:blank"), &json!("Internal Server Error"))
        );
        let lines = log.take();
        let (line, _) = lines.split_once('\n').context("no line")?;
        let line: Value = serde_json::from_str(line)?;
        assert_eq!(
            (&line["level"], &line["message"], &line["order_id"]),
            (
                &json!("ERROR"),
                &json!("could not read the order's row"),
                &row["id"]["S"]
            )
        );
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(logged), "{line}");
        assert!(!lines.contains("private"), "{line}");
        anyhow::Ok(())
    };
    check("total", json!({"S": "private"}), "expected u64").await?;
    check("total", json!({"N": "private"}), "as a float").await?;
    check("status", json!({"S": "lost"}), "unknown variant").await?;
    check("order", json!({"M": {}}), "missing field `lines`").await?;
    check("placed_at", json!({"S": "private \"time\""}), "").await
}

#[tokio::test]
async fn head_is_answered_without_a_body() -> Result<()> {
    for (name, status) in [("status", 200), ("unknown-status", 404)] {
        let mut event = sample(name)?;
        event["httpMethod"] = json!("HEAD");
        let config = config(answering(|_| (200, json!({})))).build();
        let answer = ask(&event, &config).await?;
        assert_eq!((answer.status, &*answer.body), (status, ""));
    }
    Ok(())
}

#[tokio::test]
async fn another_method_is_refused_before_anything_is_looked_up() -> Result<()> {
    for (name, method) in [
        ("status", "POST"),
        ("unknown-status", "DELETE"),
        ("status", "get"),
    ] {
        let mut event = sample(name)?;
        event["httpMethod"] = json!(method);
        let config = config(answering(|_| panic!("the table is asked"))).build();
        let answer = ask(&event, &config).await?;
        assert_eq!(
            (answer.status, &*answer.headers["allow"]),
            (405, "GET, HEAD")
        );
    }
    Ok(())
}
