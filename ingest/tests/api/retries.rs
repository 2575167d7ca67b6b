//! What failures of SQS and DynamoDB cost a client, in virtual time.

use crate::faked::{Answer, answering, ask, config, ingest, sample};
use anyhow::Result;
use ingest::config::timeouts;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Transient failures, as the services report them.
const FAILURES: [(u16, &str); 5] = [
    (500, "InternalFailure"),
    (503, "ServiceUnavailable"),
    (504, "GatewayTimeout"),
    (400, "RequestThrottled"),
    (400, "ProvisionedThroughputExceededException"),
];

/// Answers a request whose first `failed` calls fail. Also returns the time and the number of calls that it took.
async fn answer(
    event: &Value,
    failure: (u16, &'static str),
    failed: usize,
) -> Result<(Answer, Duration, usize)> {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let aws = answering(move |request| {
        if count.fetch_add(1, Ordering::Relaxed) < failed {
            return (failure.0, json!({"__type": failure.1}));
        }
        let stored = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "1"});
        let entries = request["Entries"].as_array().into_iter().flatten();
        let stored: Vec<_> = entries.map(stored).collect();
        (
            200,
            json!({"MessageId": "1", "Successful": stored, "Responses": {}}),
        )
    });
    let aws = config(aws).timeout_config(timeouts()).build();
    let start = Instant::now();
    let answer = if event["httpMethod"] == "POST" {
        ingest(event, &aws).await?
    } else {
        ask(event, &aws).await?
    };
    Ok((answer, start.elapsed(), calls.load(Ordering::Relaxed)))
}

/// One request of each kind, with the expected status of its answer.
fn requests() -> Result<Vec<(Value, u16)>> {
    let (status, mut many) = (sample("status")?, sample("status")?);
    many["resource"] = json!("/orders");
    many["path"] = json!("/orders");
    many["queryStringParameters"] = json!({"ids": status["pathParameters"]["id"]});
    many["multiValueQueryStringParameters"] = Value::Null;
    Ok(vec![
        (sample("order")?, 202),
        (sample("batch-request")?, 202),
        (status, 200),
        (many, 200),
    ])
}

#[tokio::test(start_paused = true)]
async fn one_failure_costs_a_client_milliseconds() -> Result<()> {
    for (event, status) in requests()? {
        for failure in FAILURES {
            let mut times = Vec::new();
            for _ in 0..51 {
                let (answer, time, calls) = answer(&event, failure, 1).await?;
                assert_eq!(
                    (answer.status, calls),
                    (status, 2),
                    "{failure:?}: {answer:?}"
                );
                times.push(time);
            }
            times.sort();
            assert!(
                times[25] <= Duration::from_millis(60),
                "{failure:?}: {times:?}"
            );
            assert!(
                times[50] <= Duration::from_millis(52),
                "{failure:?}: {times:?}"
            );
            // Without chance all clients would come back at the same time.
            assert!(
                times[50] > times[0] + Duration::from_millis(10),
                "{failure:?}: {times:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn four_failures_cost_less_than_a_second_and_five_a_503() -> Result<()> {
    for (event, status) in requests()? {
        for failure in FAILURES {
            let (answer4, time, calls) = answer(&event, failure, 4).await?;
            assert_eq!((answer4.status, calls), (status, 5), "{failure:?}");
            assert!(time <= Duration::from_millis(760), "{failure:?}: {time:?}");
        }
    }
    let order = sample("order")?;
    let (refused, time, calls) = answer(&order, FAILURES[0], 10).await?;
    assert_eq!((refused.status, calls), (503, 5));
    assert!(time <= Duration::from_millis(760), "{time:?}");
    Ok(())
}
