//! Sends to the queue that fail: the client retries its request.

use crate::{
    orders::{new_key, order},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use local::faults::{Crash, Fault, Kind};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

scenarios! {
    a_slow_queue_is_waited_for [Tables Faults]
    a_send_whose_answers_are_lost_is_retried_with_its_key [Tables Faults]
    a_send_that_is_done_too_late_is_retried_with_its_key [Tables Faults]
    a_send_that_kills_its_caller_is_retried_with_its_key [Tables Faults]
    a_client_that_met_a_crash_retries_with_its_key [Tables Faults]
}

async fn a_slow_queue_is_waited_for(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let _rule = stack.once(Kind::Call(Fault::Slow(Duration::from_millis(300))), &sku)?;
    let id = stack
        .api
        .place(&order(&[(&sku, 1)]), Some(&new_key()))
        .await?;
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    Ok(())
}

async fn a_send_whose_answers_are_lost_is_retried_with_its_key(stack: Arc<Stack>) -> Result<()> {
    refused_then_accepted(&stack, 5, Fault::Unanswered, 503).await
}

async fn a_send_that_is_done_too_late_is_retried_with_its_key(stack: Arc<Stack>) -> Result<()> {
    // The function waits 1 s for each of three attempts.
    refused_then_accepted(&stack, 3, Fault::Late(Duration::from_millis(1500)), 503).await
}

async fn a_send_that_kills_its_caller_is_retried_with_its_key(stack: Arc<Stack>) -> Result<()> {
    refused_then_accepted(&stack, 1, Fault::KilledBefore, 502).await?;
    refused_then_accepted(&stack, 1, Fault::KilledAfter, 502).await
}

/// The first sends of an order meet a fault, so its client is answered with `status`; a retry of the same request is accepted,
/// and the order takes effect once.
async fn refused_then_accepted(
    stack: &Stack,
    sends: usize,
    fault: Fault,
    status: u16,
) -> Result<()> {
    let (sku, key) = (stack.article(10).await?, new_key());
    let (part, calls) = (sku.clone(), AtomicUsize::new(0));
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "SendMessage" && call.contains(&part);
        (hit && calls.fetch_add(1, Ordering::Relaxed) < sends).then(|| fault.clone())
    })?;
    once_after(stack, &sku, &key, status).await
}

async fn a_client_that_met_a_crash_retries_with_its_key(stack: Arc<Stack>) -> Result<()> {
    for crash in [Crash::Killed(Duration::ZERO), Crash::Garbage] {
        let (sku, key) = (stack.article(10).await?, new_key());
        let _rule = stack.once(Kind::Function(crash), &key)?;
        once_after(&stack, &sku, &key, 502).await?;
    }
    Ok(())
}

async fn once_after(stack: &Stack, sku: &str, key: &str, status: u16) -> Result<()> {
    let sent = order(&[(sku, 1)]);
    let reply = stack.api.post(&sent, Some(key)).await?;
    ensure!(reply.status == status, "{reply:?}");
    ensure!(reply.header("retry-after") == Some("5"), "{reply:?}");
    let id = stack.api.place(&sent, Some(key)).await?;
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    // Duplicates that are still on the queue reserve nothing: the audit checks again once all are processed.
    ensure!(stack.aws()?.in_stock(sku).await? == 9);
    stack.aws()?.record(&id).await?.context("no row")?;
    Ok(())
}
