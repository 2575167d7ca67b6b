//! When what failed is tried again.

use crate::{
    orders::{new_id, order, placed, sqs_event},
    scenarios::scenarios,
    stack::Stack,
    watch::Seen,
};
use anyhow::{Context, Result, ensure};
use local::faults::Fault;
use serde_json::json;
use std::{sync::Arc, time::Duration};

scenarios! {
    a_conflict_that_outlasts_the_deadline_puts_the_record_off [Queue Tables Faults]
    a_record_that_fails_again_comes_back_later [Invoke Tables Faults]
}

async fn a_conflict_that_outlasts_the_deadline_puts_the_record_off(
    stack: Arc<Stack>,
) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let (calls, changes) = (
        stack.record(&[&sku])?,
        stack.record(&["VisibilityTimeout"])?,
    );
    let part = sku.clone();
    let rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then(|| Fault::refuse(400, "TransactionConflictException", "ongoing"))
    })?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    let tried = || calls.of("TransactWriteItems");
    // Other scenarios' records are put off, too: this one's is after it was tried for as long as there was time.
    crate::stack::until("a record is put off", || async {
        let tried = tried();
        let (Some(first), Some(last)) = (tried.first(), tried.last()) else {
            return Ok(None);
        };
        let put_off = changes.by("ProcessFunction").pop();
        let put_off = put_off.filter(|change| change.at > last.at);
        Ok(put_off.filter(|_| last.at - first.at > Duration::from_secs(20)))
    })
    .await?;
    drop(rule);
    let tried = tried();
    // It comes back within seconds, not after the queue's visibility timeout.
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    ensure!(aws.in_stock(&sku).await? == 9);

    // Doubled up to a second, of which chance takes half: about two a second, and no two waits are the same.
    ensure!((15..200).contains(&tried.len()), "{} attempts", tried.len());
    let waits = tried.windows(2).skip(6).map(|two| two[1].at - two[0].at);
    let waits: Vec<_> = waits.collect();
    ensure!(
        waits.iter().any(|wait| *wait < Duration::from_millis(500)),
        "{waits:?}"
    );
    Ok(())
}

async fn a_record_that_fails_again_comes_back_later(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let calls = stack.record(&[&sku])?;
    // A good order, and what will never be one, received 1 to 40 times.
    let mut bodies = vec![(placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1)];
    bodies.extend((1..=40).map(|receives| ("poison".to_owned(), receives)));
    let mut event = sqs_event(&bodies);
    for n in 0..bodies.len() {
        event["Records"][n]["receiptHandle"] = json!(format!("{sku} {n}"));
    }
    ensure!(aws.process(&event).await?.len() == 40);

    let calls = calls.by("ProcessFunction");
    // At the end: the time that a record is put off begins when nothing else is left to do.
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
