//! Every id gets its own answer.

use super::{Rows, ask, event, fresh, row};
use crate::faked::{answering, ask_by, config, statuses};
use anyhow::{Context, Result};
use aws_sdk_sqs::config::retry::RetryConfig;
use events::{OrderId, Timestamp};
use function::logs::kit::Log;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tracing::level_filters::LevelFilter;

#[tokio::test(start_paused = true)]
async fn a_failed_order_whose_worker_may_still_try_is_queued_among_others() -> Result<()> {
    let mine: Vec<_> = (0..5).map(|n| fresh("ann", n)).collect::<Result<_>>()?;
    let now = SystemTime::now();
    let failed = |n: usize, at: SystemTime| {
        let attributes =
            json!({"status": {"S": "failed"}, "processed_at": {"S": Timestamp::from(at)}});
        row(mine[n], "ann", &attributes)
    };
    let young = json!({"status": {"S": "rejected"}, "reason": {"S": "out_of_stock"},
        "processed_at": {"S": Timestamp::from(now)}});
    let rows = [
        failed(0, now - Duration::from_secs(100)),
        failed(1, now - Duration::from_secs(151)),
        failed(2, now + Duration::from_secs(10)),
        row(mine[3], "ann", &young),
        failed(4, now - Duration::from_hours(24)),
    ];
    let rows: Rows = Arc::new(rows.into_iter().collect());
    let asked = |ids: &[OrderId]| {
        event(
            &ids.iter()
                .map(OrderId::to_string)
                .collect::<Vec<_>>()
                .join(","),
        )
    };
    let (answer, _) = ask(asked(&mine), &rows, 100).await?;
    let results = answer.document()?["results"].clone();
    let statuses: Vec<_> = (0..5).map(|n| results[n]["status"].as_str()).collect();
    let expected = ["queued", "failed", "queued", "rejected", "failed"].map(Some);
    assert_eq!(statuses, expected);
    assert_eq!(results[0], json!({"id": mine[0], "status": "queued"}));
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    let (answer, _) = ask(asked(&mine[3..]), &rows, 100).await?;
    assert!(!answer.headers.contains_key("retry-after"), "all are final");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_reused_key_is_reported_beside_other_outcomes() -> Result<()> {
    let [mine, other, waiting] = [fresh("ann", 1)?, fresh("ann", 2)?, fresh("ann", 3)?];
    let stored = |id, digits: &str| {
        let fingerprint = json!({"S": digits.repeat(64)});
        row(
            id,
            "ann",
            &json!({"status": {"S": "confirmed"}, "fingerprint": fingerprint}),
        )
    };
    let rows: Rows = Arc::new(
        [stored(mine, "a"), stored(other, "b")]
            .into_iter()
            .collect(),
    );
    let asked = [
        format!("{mine}.aaaaaaaa"),
        format!("{other}.aaaaaaaa"),
        other.to_string(),
        format!("{mine}.AAAAAAAA").to_uppercase(),
        format!("{other}.bbbbbbbb"),
        format!("{waiting}.aaaaaaaa"),
        format!("{mine}.short"),
        format!("{mine}.aaaaaaaa.aaaaaaaa"),
        "no-id.aaaaaaaa".to_owned(),
    ];
    let (answer, calls) = ask(event(&asked.join(",")), &rows, 100).await?;
    assert_eq!((answer.status, calls), (200, 1), "{answer:?}");
    let results = answer.document()?["results"].clone();
    let results = results.as_array().context("no results")?;
    let seen: Vec<_> = results
        .iter()
        .map(|one| {
            (
                one["id"].as_str(),
                one["status"].clone(),
                one["type"].as_str(),
            )
        })
        .collect();
    let [mine, other, waiting] = [mine, other, waiting].map(|id| id.to_string());
    let blank = Some("about:blank");
    assert_eq!(
        seen,
        [
            (Some(&*mine), json!("confirmed"), None),
            (Some(&*other), json!(409), Some("idempotency-key-reused")),
            (Some(&*other), json!("confirmed"), None),
            (Some(&*other), json!("confirmed"), None),
            (Some(&*waiting), json!("queued"), None),
            (Some(&*mine), json!(422), blank),
            (Some(&*mine), json!(422), blank),
            (None, json!(404), blank),
        ]
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn rows_that_came_are_shown_beside_those_that_never_come() -> Result<()> {
    let (first, second) = (fresh("ann", 1)?, fresh("ann", 2)?);
    let rows: Rows = Arc::new(
        [first, second]
            .map(|id| row(id, "ann", &json!({"status": {"S": "confirmed"}})))
            .into_iter()
            .collect(),
    );
    // The table serves only this key, however often it is asked.
    let client = answering(move |request| {
        let mut open = request["RequestItems"].clone();
        let Some(keys) = open["orders"]["Keys"].as_array_mut() else {
            return (200, json!({})); // The backlog.
        };
        keys.retain(|key| key["id"]["S"] != first.to_string());
        let found = rows.get(&first.to_string());
        (
            200,
            json!({"Responses": {"orders": [found]}, "UnprocessedKeys": open}),
        )
    });
    let config = config(client).retry_config(RetryConfig::disabled()).build();
    let answer = ask_by(
        &event(&format!("{first},{second},{first}")),
        &statuses(&config)?,
    )
    .await?;
    let results = answer.document()?["results"].clone();
    assert_eq!(answer.status, 200, "{results}");
    assert_eq!(results[0]["status"], "confirmed");
    assert_eq!(
        (&results[1]["status"], &results[1]["id"]),
        (&json!(503), &json!(second))
    );
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_read_hides_no_other() -> Result<()> {
    let log = Log::default();
    let _guard = log.listen(LevelFilter::INFO);
    let [good, odd, waiting] = [fresh("ann", 1)?, fresh("ann", 2)?, fresh("ann", 3)?];
    for (attributes, status) in [
        (json!({"status": {"S": "lost"}}), 500),
        (
            json!({"status": {"S": "confirmed"}, "total": {"S": "private"}}),
            500,
        ),
        (json!({"status": {"S": "rejected"}}), 500),
        (
            json!({"status": {"S": "rejected"}, "reason": {"S": "later"}}),
            500,
        ),
        (
            json!({"status": {"S": "confirmed"}, "processed_at": {"NULL": true}}),
            500,
        ),
        (
            json!({"status": {"S": "confirmed"}, "processed_at": {"S": "private"}}),
            500,
        ),
        (json!({"status": {"M": {}}, "client": {"N": "7"}}), 500),
        // Another client's row stays hidden, readable or not.
        (
            json!({"status": {"S": "lost"}, "client": {"S": "ben"}}),
            404,
        ),
    ] {
        let rows = [
            row(good, "ann", &json!({"status": {"S": "confirmed"}})),
            row(odd, "ann", &attributes),
        ];
        let rows: Rows = Arc::new(rows.into_iter().collect());
        let asked = [good, odd, waiting].map(|id| id.to_string()).join(",");
        let (answer, _) = ask(event(&asked), &rows, 100).await?;
        let results = answer.document()?["results"].clone();
        assert_eq!(answer.status, 200, "{attributes}: {results}");
        assert_eq!(results[0]["status"], "confirmed", "{attributes}");
        assert_eq!(
            (&results[1]["status"], &results[1]["id"]),
            (&json!(status), &json!(odd)),
            "{attributes}"
        );
        assert_eq!(results[2]["status"], "queued", "{attributes}");
        let lines = log.take();
        let is_named = lines.contains("ERROR") && lines.contains(&odd.to_string());
        assert_eq!(is_named, status == 500, "{lines}");
        assert!(!lines.contains("private"), "{lines}");
    }
    Ok(())
}
