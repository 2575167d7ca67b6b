//! Workers that die, hang or answer garbage, at any moment: the queue brings back what they had.

use crate::{
    orders::{new_id, new_key, order, placed, sqs_event},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{Outcome, order::kit};
use futures_util::future::try_join_all;
use local::faults::{Crash, Fault, Injection, Kind};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

scenarios! {
    a_worker_killed_in_its_init_loses_nothing [Faults]
    a_worker_killed_in_the_middle_of_a_batch_loses_nothing [Faults]
    a_worker_killed_before_its_commit_loses_nothing [Faults]
    a_worker_killed_between_commit_and_answer_doubles_nothing [Faults]
    a_worker_killed_on_the_last_receive_leaves_a_failed_order [Invoke Tables Faults]
    a_worker_that_hangs_loses_nothing [Faults]
    a_worker_that_answers_garbage_doubles_nothing [Faults]
    a_transaction_over_the_size_limit_is_bisected [Invoke Tables Faults]
    a_row_over_400_kb_fails_alone [Invoke Tables Faults]
}

async fn a_worker_killed_in_its_init_loses_nothing(_: Arc<Stack>) -> Result<()> {
    // Kills the running process first, so that another has to start.
    survives(&[
        Kind::Function(Crash::Killed(Duration::ZERO)),
        Kind::Function(Crash::KilledInInit(Duration::ZERO)),
    ])
    .await
}

async fn a_worker_killed_in_the_middle_of_a_batch_loses_nothing(_: Arc<Stack>) -> Result<()> {
    // Kills at some moment of the first 50 ms. The table answers later, so the batch isn't done by then.
    survives(&[
        Kind::Call(Fault::Slow(Duration::from_millis(500))),
        Kind::Function(Crash::Killed(Duration::from_millis(50))),
    ])
    .await
}

async fn a_worker_killed_before_its_commit_loses_nothing(_: Arc<Stack>) -> Result<()> {
    survives(&[Kind::Call(Fault::KilledBefore)]).await
}

async fn a_worker_killed_between_commit_and_answer_doubles_nothing(_: Arc<Stack>) -> Result<()> {
    survives(&[Kind::Call(Fault::KilledAfter)]).await
}

async fn a_worker_that_hangs_loses_nothing(_: Arc<Stack>) -> Result<()> {
    survives(&[Kind::Function(Crash::Hung(Duration::ZERO))]).await
}

async fn a_worker_that_answers_garbage_doubles_nothing(_: Arc<Stack>) -> Result<()> {
    survives(&[Kind::Function(Crash::Garbage)]).await
}

/// Checks that orders whose workers meet each of these faults once are confirmed, once. Uses a stack of its own, where
/// unanswered messages come back soon.
async fn survives(kinds: &[Kind]) -> Result<()> {
    let stack = Stack::local(&["ProcessTimeoutSeconds=6", "VisibilityTimeoutSeconds=7"]).await?;
    let (faults, sku) = (stack.cloud()?.faults(), stack.article(10).await?);
    let rules: Vec<_> = kinds
        .iter()
        .map(|kind| Injection {
            function: Some("ProcessFunction".to_owned()),
            times: Some(1),
            ..Injection::new(kind.clone())
        })
        .map(|injection| faults.inject(injection, 1))
        .collect();
    let one = order(&[(&sku, 1)]);
    let keys = [new_key(), new_key(), new_key()];
    let ids = try_join_all(keys.iter().map(|key| stack.api.place(&one, Some(key)))).await?;
    for id in &ids {
        ensure!(stack.api.settled(id).await?["status"] == "confirmed");
    }
    stack.audit().await?;
    let injected: u64 = faults.tally().counts().values().sum();
    ensure!(injected == kinds.len() as u64, "{}", faults.tally());
    drop(rules);
    stack.stop().await;
    Ok(())
}

async fn a_worker_killed_on_the_last_receive_leaves_a_failed_order(
    stack: Arc<Stack>,
) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let part = sku.clone();
    let rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then_some(Fault::KilledBefore)
    })?;
    let batch = sqs_event(&[(placed(id, &order(&[(&sku, 1)]))?.to_json(), 1000)]);
    let answer = aws.process(&batch).await;
    ensure!(answer.is_err_and(|error| error.to_string().contains("signal: 9")));
    let outcome = || async {
        Ok::<_, anyhow::Error>(
            aws.record(&id.to_string())
                .await?
                .context("no row")?
                .outcome,
        )
    };
    ensure!(outcome().await? == Outcome::Failed);
    // A redrive settles it.
    drop(rule);
    ensure!(aws.process(&batch).await?.is_empty());
    ensure!(outcome().await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

async fn a_transaction_over_the_size_limit_is_bisected(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(50).await?);
    let mut batch = Vec::new();
    for _ in 0..50 {
        batch.push((placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1));
    }
    // The limit is made to look lower: 50 orders exceed it, and 25 don't.
    let (part, refused) = (sku.clone(), Arc::new(AtomicUsize::new(0)));
    let (count, limit) = (refused.clone(), 800 * 50);
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        (hit && call.body.len() > limit).then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            Fault::refuse(400, "ValidationException", "exceeding the 4MB limit")
        })
    })?;
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    ensure!(refused.load(Ordering::Relaxed) == 1, "{refused:?} refused");
    ensure!(aws.in_stock(&sku).await? == 0);
    Ok(())
}

async fn a_row_over_400_kb_fails_alone(stack: Arc<Stack>) -> Result<()> {
    // The order is larger than the queue accepts: the table itself must refuse the row.
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let large = kit::tagged(order(&[(&sku, 1)]), &"x".repeat(400 << 10));
    let mut batch = vec![(placed(id, &large)?.to_json(), 1)];
    batch.push((placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1));
    let failed = aws.process(&sqs_event(&batch)).await?;
    ensure!(failed == ["0"], "{failed:?}");
    ensure!(aws.record(&id.to_string()).await?.is_none());
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}
