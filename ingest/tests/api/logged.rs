//! Each request is logged and counted.

use crate::faked::{QUEUE, answering, config, ids, invoke, read, rest, sample};
use anyhow::{Context as _, Result};
use function::{emf::NAMESPACE, logs::kit::Log};
use ingest::{acceptor::Acceptor, dispatch::dispatch, metrics::Metrics, queue::OrderQueue};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};
use tracing::level_filters::LevelFilter;

thread_local! {
    static METRICS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Returns the lines and the metrics of a new environment's first request; the queue answers with this status.
async fn logged(event: &Value, queue: u16) -> Result<(Vec<Value>, Vec<Value>)> {
    let client = answering(move |_| (queue, json!({"__type": "Nothing", "MessageId": "m"})));
    let config = config(client).build();
    let sqs = aws_sdk_sqs::Client::new(&config);
    let write = |line: &Value| METRICS.with_borrow_mut(|lines| lines.push(line.clone()));
    let acceptor = Acceptor::new(
        ids()?,
        OrderQueue::new(&sqs, QUEUE.to_owned()),
        Metrics::new("shop".to_owned(), "", write),
    );
    let log = Log::default();
    let guard = log.listen(LevelFilter::INFO);
    invoke(|request| dispatch(&acceptor, request), read(event)?).await?;
    drop(guard);
    let text = log.take();
    let lines = text.lines().map(serde_json::from_str);
    Ok((lines.collect::<Result<_, _>>()?, METRICS.take()))
}

fn post(content_type: &str, body: &str) -> Value {
    rest(json!({
        "headers": {"Content-Type": content_type},
        "body": body,
        "requestContext": {"requestId": "api-1", "identity": {"apiKeyId": "ann"}},
    }))
}

#[tokio::test]
async fn a_refused_request_is_one_line_that_quotes_no_client_and_is_counted_by_its_kind()
-> Result<()> {
    let many =
        r#"{"lines":[{"sku":"private!","quantity":0,"unit_price":-1}],"currency":"private"}"#;
    let batch = |orders: &str| {
        let mut event = post("application/json", &format!(r#"{{"orders":{orders}}}"#));
        event["path"] = "/orders/batch".into();
        event
    };
    let mut put = post("application/json", "{}");
    put["httpMethod"] = "PUT".into();
    let check = async |event: Value, kind: &str, status: u16, violations: usize| {
        let (lines, metrics) = logged(&event, 200).await?;
        let [line] = &lines[..] else {
            anyhow::bail!("{kind}: {lines:?}")
        };
        assert_eq!(line["message"], "refused the request", "{kind}");
        assert_eq!(line["kind"], kind);
        assert_eq!(line["status"], status, "{kind}");
        assert_eq!(line["violations"], violations, "{kind}");
        assert_eq!(line["span"]["apiRequestId"], "api-1", "{kind}");
        assert!(!line.to_string().contains("private"), "{line}");
        assert!(
            metrics.iter().any(|line| line["Refused"] == 1),
            "{kind}: {metrics:?}"
        );
        assert!(
            metrics
                .iter()
                .all(|line| !line.to_string().contains("private"))
        );
        anyhow::Ok(metrics)
    };
    check(post("text/private", "{}"), "unsupported-media-type", 415, 0).await?;
    check(post("application/json", "private"), "not-json", 400, 0).await?;
    check(post("application/json", many), "invalid-order", 422, 4).await?;
    check(put, "method-not-allowed", 405, 0).await?;
    check(batch("[]"), "invalid-batch", 422, 1).await?;
    // Each order of a batch request counts under its own kind.
    let orders = format!(r#"[{{"order":{many}}},{{"order":{{}}}}]"#);
    let (lines, metrics) = logged(&batch(&orders), 200).await?;
    assert_eq!(lines[0]["kind"], "no-valid-order");
    assert_eq!(lines[0]["violations"], 6);
    let refused = metrics.iter().filter(|line| !line["Refused"].is_null());
    let refused: Vec<_> = refused
        .map(|line| (&line["Kind"], &line["Refused"]))
        .collect();
    assert_eq!(refused, [(&json!("invalid-order"), &json!(2))]);
    Ok(())
}

#[tokio::test]
async fn an_accepted_order_is_one_line_and_an_environments_first_has_metrics() -> Result<()> {
    let (lines, metrics) = logged(&sample("order")?, 200).await?;
    let [line] = &lines[..] else {
        anyhow::bail!("{lines:?}")
    };
    assert_eq!(line["message"], "accepted the order");
    let id = sample("order")?["requestContext"]["requestId"].clone();
    assert_eq!(line["span"]["apiRequestId"], id);
    assert_eq!(
        line["span"]["xrayTraceId"],
        "1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b"
    );
    let [metrics] = &metrics[..] else {
        anyhow::bail!("{metrics:?}")
    };
    assert_eq!(metrics["Accepted"], 1);
    assert_eq!(
        metrics["QueueMilliseconds"].as_array().map(Vec::len),
        Some(1)
    );
    let defined = &metrics["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(defined["Namespace"], NAMESPACE);
    let mut names = BTreeMap::new();
    for metric in defined["Metrics"].as_array().context("no metrics")? {
        names.insert(metric["Name"].as_str(), &metric["Unit"]);
    }
    assert_eq!(names[&Some("QueueMilliseconds")], "Milliseconds");
    Ok(())
}

#[tokio::test]
async fn a_queue_that_is_down_is_logged_with_its_reason_and_counted() -> Result<()> {
    let (lines, metrics) = logged(&sample("order")?, 400).await?;
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(
        messages,
        [
            "could not put the order on the queue",
            "refused the request"
        ]
    );
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[1]["status"], 503);
    assert!(metrics.iter().all(|line| line["Accepted"].is_null()));
    let is_counted = |line: &Value| line["Kind"] == "queue-unavailable" && line["Refused"] == 1;
    assert!(metrics.iter().any(is_counted), "{metrics:?}");
    Ok(())
}

#[tokio::test]
async fn an_invalid_request_id_is_left_out() -> Result<()> {
    for (id, expected) in [
        (json!("JKJaXmPLvHcESHA="), json!("JKJaXmPLvHcESHA=")),
        (json!("a\nb"), Value::Null),
        (json!("a".repeat(65)), Value::Null),
        (json!(1), Value::Null),
    ] {
        let mut event = post("application/json", "");
        event["requestContext"]["requestId"] = id.clone();
        let (lines, _) = logged(&event, 200).await?;
        assert_eq!(lines[0]["span"]["apiRequestId"], expected, "{id}");
    }
    Ok(())
}
