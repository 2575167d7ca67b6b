//! A table that throttles or is down slows the workers only while it does, and costs no order its outcome.

use crate::{
    api::Api,
    orders::{new_key, order},
    patience::{until, until_in},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use local::faults::{Fault, Rule};
use serde_json::json;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

scenarios! {
    long_orders_are_confirmed_after_a_throttling [Parameters]
    a_throttling_is_forgotten_when_it_is_over [Parameters]
    an_outage_costs_no_order_of_a_large_batch_its_receives [Parameters]
}

/// The number of articles on a long order.
const LONG: usize = 50;

/// Short waits, with the third receive as the last.
const SHORT: [&str; 5] = [
    "MaximumConcurrency=2",
    "MaxReceiveCount=3",
    "RetryBaseSeconds=1",
    "ProcessTimeoutSeconds=30",
    "VisibilityTimeoutSeconds=31",
];

/// How long all orders of a scenario may take to get an outcome, on a machine that is doing other work.
const PATIENCE: Duration = Duration::from_mins(4);

/// Makes articles with plenty of stock.
async fn articles(stack: &Stack, count: usize) -> Result<Vec<String>> {
    let puts = stream::iter(0..count).map(|_| stack.article(1_000_000));
    puts.buffered(50).try_collect().await
}

/// Sends an order for each of these sets of articles, a hundred in a request, and returns their ids.
async fn send(api: &Api, orders: impl Iterator<Item = &[String]>) -> Result<Vec<String>> {
    let entry = |skus: &[String]| {
        let lines: Vec<_> = skus.iter().map(|sku| (&**sku, 1)).collect();
        json!({"order": order(&lines), "idempotency_key": new_key()})
    };
    let entries: Vec<_> = orders.map(entry).collect();
    let mut ids = Vec::new();
    for entries in entries.chunks(100) {
        for result in api.place_batch(entries).await? {
            ids.push(result["id"].as_str().context("no id")?.to_owned());
        }
    }
    Ok(ids)
}

/// Waits until all of them are confirmed, and returns how long that took.
async fn confirmed(stack: &Stack, ids: &[String]) -> Result<Duration> {
    let (aws, start) = (stack.aws()?, Instant::now());
    until_in(PATIENCE, "all orders are confirmed", || async {
        let depth = aws.depth(&aws.names.queue).await?;
        Ok((depth == 0).then_some(()))
    })
    .await?;
    let took = start.elapsed();
    let dead = aws.depth(&aws.names.dead_letter_queue).await?;
    ensure!(dead == 0, "{dead} orders are dead letters");
    for ids in ids.chunks(50) {
        for settled in join_all(ids.iter().map(|id| stack.api.settled(id))).await {
            let settled = settled?;
            ensure!(settled["status"] == "confirmed", "{settled}");
        }
    }
    Ok(took)
}

/// Throttles this many transactions.
fn throttle(stack: &Stack, transactions: usize) -> Result<Rule<'_>> {
    let left = AtomicUsize::new(transactions);
    stack.fault(move |call| {
        let take = |left: usize| left.checked_sub(1);
        let hit = call.operation == "TransactWriteItems"
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok();
        hit.then(|| Fault::refuse(400, "ThrottlingException", "Rate exceeded"))
    })
}

async fn long_orders_are_confirmed_after_a_throttling(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&SHORT).await?;
    let skus = articles(&stack, 100 * LONG).await?;
    let _rule = throttle(&stack, 100)?;
    // The first hundred orders meet the throttling, the second whatever state the workers keep of it.
    for _ in 0..2 {
        let ids = send(&stack.api, skus.chunks(LONG)).await?;
        confirmed(&stack, &ids).await?;
    }
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn a_throttling_is_forgotten_when_it_is_over(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&SHORT).await?;
    let skus = articles(&stack, 100).await?;
    let orders = || (0..1500).map(|n| std::slice::from_ref(&skus[n % skus.len()]));
    let ids = send(&stack.api, orders()).await?;
    let before = confirmed(&stack, &ids).await?;
    let _rule = throttle(&stack, 18)?;
    let ids = send(&stack.api, orders()).await?;
    let after = confirmed(&stack, &ids).await?;
    // Allows eighteen waits of at most a second, by two workers; everything else as fast as before.
    let most = 3 * before + Duration::from_secs(20);
    ensure!(after <= most, "{after:?}, and {before:?} before it");
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn an_outage_costs_no_order_of_a_large_batch_its_receives(_: Arc<Stack>) -> Result<()> {
    // Three receives, at least twelve seconds apart.
    let stack = Stack::local(&[
        "MaximumConcurrency=2",
        "MaxReceiveCount=3",
        "RetryBaseSeconds=1",
        "ProcessTimeoutSeconds=10",
        "VisibilityTimeoutSeconds=12",
    ])
    .await?;
    // Each order shares articles with the next, so they are written one after the other.
    let skus = articles(&stack, 21 * LONG / 2).await?;
    let met = Arc::new(OnceLock::new());
    let first = met.clone();
    let rule = stack.fault(move |call| {
        let writes = ["TransactWriteItems", "PutItem"].contains(&call.operation);
        (writes && call.caller == "ProcessFunction").then(|| {
            first.get_or_init(Instant::now);
            Fault::refuse(500, "InternalServerError", "down")
        })
    })?;
    let ids = send(&stack.api, skus.windows(LONG).step_by(LONG / 2)).await?;
    // Longer than three receives would take if they came back after a second or two; over before the third visibility timeout.
    let outage = Duration::from_secs(27);
    until("a worker has met the outage, and it is over", || async {
        let met = met.get().filter(|met| met.elapsed() > outage);
        Ok(met.map(|_| ()))
    })
    .await?;
    drop(rule);
    confirmed(&stack, &ids).await?;
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}
