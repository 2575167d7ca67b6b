//! Retries of records that failed.

use crate::{
    orders::{new_id, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
    watch::Seen,
};
use anyhow::{Context, Result, ensure};
use local::faults::{Fault, Rule};
use serde_json::json;
use std::{sync::Arc, time::Duration};

scenarios! {
    a_conflict_that_outlasts_the_deadline_puts_the_record_off [Invoke Tables Faults]
    a_record_that_was_put_off_comes_back_within_seconds [Tables Faults]
    a_record_that_fails_again_comes_back_later [Invoke Tables Faults]
}

/// Refuses every transaction with this article.
fn conflict<'a>(stack: &'a Stack, sku: &str) -> Result<Rule<'a>> {
    let part = sku.to_owned();
    stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then(|| Fault::refuse(400, "TransactionConflictException", "ongoing"))
    })
}

async fn a_conflict_that_outlasts_the_deadline_puts_the_record_off(
    stack: Arc<Stack>,
) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let calls = stack.record(&[&sku])?;
    let _rule = conflict(&stack, &sku)?;
    let mut event = sqs_event(&[(placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1)]);
    event["Records"][0]["receiptHandle"] = json!(sku);
    ensure!(aws.process(&event).await? == ["0"]);

    let mut calls = calls.by("ProcessFunction");
    let put_off = calls.pop().context("no calls")?;
    ensure!(put_off.operation == "ChangeMessageVisibilityBatch");
    ensure!(
        calls
            .iter()
            .all(|call| call.operation == "TransactWriteItems")
    );
    // It tried until the deadline, with waits that double up to a second, less a random part. That is 27 s, less a quarter
    // that is reserved for publishing outcomes.
    ensure!(put_off.at - calls[0].at > Duration::from_secs(17));
    ensure!((15..200).contains(&calls.len()), "{} attempts", calls.len());
    let waits = calls.windows(2).skip(6).map(|two| two[1].at - two[0].at);
    let waits: Vec<_> = waits.collect();
    let half = Duration::from_millis(500);
    ensure!(waits.iter().any(|wait| *wait < half), "{waits:?}");
    Ok(())
}

async fn a_record_that_was_put_off_comes_back_within_seconds(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let calls = stack.record(&[&sku])?;
    let rule = conflict(&stack, &sku)?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    // One invocation tries for 27 s; the queue's visibility timeout is 185 s.
    until("it is tried by a second invocation", || async {
        let tried = calls.of("TransactWriteItems");
        let (first, last) = (tried.first(), tried.last());
        let span = first.zip(last).map(|(first, last)| last.at - first.at);
        Ok(span.filter(|span| *span > Duration::from_secs(28)))
    })
    .await?;
    drop(rule);
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

async fn a_record_that_fails_again_comes_back_later(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let calls = stack.record(&[&sku])?;
    // A good order, and poison that was received 1 to 40 times.
    let mut bodies = vec![(placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1)];
    bodies.extend((1..=40).map(|receives| ("poison".to_owned(), receives)));
    let mut event = sqs_event(&bodies);
    for n in 0..bodies.len() {
        event["Records"][n]["receiptHandle"] = json!(format!("{sku} {n}"));
    }
    ensure!(aws.process(&event).await?.len() == 40);

    let calls = calls.by("ProcessFunction");
    // Comes last: the delay of a record that is put off starts when nothing else is left to do.
    let operations: Vec<_> = calls.iter().map(|call| &*call.operation).collect();
    let (first, rest) = operations.split_first().context("no calls")?;
    ensure!(*first == "TransactWriteItems", "{operations:?}");
    ensure!(
        rest == ["ChangeMessageVisibilityBatch"; 4],
        "{operations:?}"
    );
    let mut delays = Vec::new();
    for Seen { request, .. } in &calls[1..] {
        for entry in request["Entries"].as_array().context("no entries")? {
            let handle = entry["ReceiptHandle"].as_str().context("no handle")?;
            let receives: u32 = handle.trim_start_matches(&*sku).trim().parse()?;
            let delay = entry["VisibilityTimeout"].as_u64().context("no delay")?;
            delays.push((receives, delay));
        }
    }
    delays.sort_unstable();
    ensure!(delays.len() == 40, "{delays:?}");
    for (receives, delay) in &delays {
        // `RetryBaseSeconds` is 1 here.
        let most = 2_u64.pow(receives - 1_u32.min(*receives)).min(185);
        ensure!((most.div_ceil(2)..=most).contains(delay), "{delays:?}");
    }
    let last: Vec<_> = delays.iter().map(|(_, delay)| delay).skip(10).collect();
    ensure!(last.iter().any(|delay| *delay != last[0]), "{last:?}");
    Ok(())
}
