//! The event bus fails, or the worker does while it publishes: no outcome is lost, and no order stored twice.

use super::outcomes::{Batch, all_are_heard, is_published, process};
use crate::{scenarios::scenarios, stack::Stack};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use local::faults::{Fault, Rule};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

scenarios! {
    a_bus_that_refuses_keeps_the_messages_on_the_queue [Events Tables Invoke Faults]
    a_bus_that_takes_some_of_the_entries_keeps_only_the_others [Events Tables Invoke Faults]
    a_bus_that_refuses_for_a_moment_costs_no_delivery [Events Tables Invoke Faults]
    a_slow_bus_gets_its_events_again_and_loses_nothing [Events Tables Invoke Faults]
    a_worker_that_dies_while_it_publishes_loses_no_outcome [Events Tables Invoke Faults]
}

async fn a_bus_that_refuses_keeps_the_messages_on_the_queue(stack: Arc<Stack>) -> Result<()> {
    for (status, code) in [
        (400, "ThrottlingException"),
        (500, "InternalException"),
        (400, "AccessDeniedException"),
        (400, "ValidationException"),
    ] {
        let sku = stack.article(20).await?;
        let (batch, part) = (Batch::new(&sku, 12)?, sku.clone());
        let rule = stack.fault(move |call| {
            let hit = call.operation == "PutEvents" && call.contains(&part);
            hit.then(|| Fault::refuse(status, code, "injected"))
        })?;
        process(&stack, &batch, &(0..12).collect::<Vec<_>>()).await?;
        for id in &batch.ids {
            let row = stack.aws()?.record(&id.to_string()).await?;
            ensure!(row.context("no row")?.outcome == Outcome::Confirmed);
            ensure!(stack.listener()?.published(&id.to_string()).is_empty());
        }
        drop(rule);
        process(&stack, &batch, &[]).await?;
        is_published(&stack, &batch).await?;
        ensure!(stack.aws()?.in_stock(&sku).await? == 8);
    }
    Ok(())
}

async fn a_bus_that_takes_some_of_the_entries_keeps_only_the_others(
    stack: Arc<Stack>,
) -> Result<()> {
    for code in ["ThrottlingException", "MalformedDetail", "InternalFailure"] {
        let sku = stack.article(20).await?;
        let batch = Batch::new(&sku, 12)?;
        let refused = [format!("{sku}-03"), format!("{sku}-11")];
        let rule = stack.fault(move |call| {
            if call.operation != "PutEvents" {
                return None;
            }
            let request: Value = serde_json::from_slice(call.body).ok()?;
            let entries = request["Entries"].as_array()?.iter().enumerate();
            let is_hit = |entry: &Value| {
                let detail = entry["Detail"].as_str().unwrap_or_default();
                refused.iter().any(|reference| detail.contains(reference))
            };
            let hit = entries.filter(|(_, entry)| is_hit(entry));
            let hit: Vec<_> = hit.map(|(n, _)| n.to_string()).collect();
            (!hit.is_empty()).then(|| Fault::Partial {
                entries: hit,
                code: Some(code.to_owned()),
            })
        })?;
        process(&stack, &batch, &[3, 11]).await?;
        drop(rule);
        process(&stack, &batch, &[]).await?;
        is_published(&stack, &batch).await?;
        for (n, id) in batch.ids.iter().enumerate() {
            // The accepted entries were published by both deliveries.
            let times = if [3, 11].contains(&n) { 1 } else { 2 };
            let listener = stack.listener()?;
            listener
                .wait(&id.to_string(), |published| published.len() == times)
                .await?;
        }
    }
    Ok(())
}

async fn a_bus_that_refuses_for_a_moment_costs_no_delivery(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let (batch, part, calls) = (Batch::new(&sku, 5)?, sku.clone(), AtomicUsize::new(0));
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "PutEvents" && call.contains(&part);
        let hit = hit && calls.fetch_add(1, Ordering::Relaxed) < 3;
        hit.then(|| Fault::refuse(400, "ThrottlingException", "injected"))
    })?;
    process(&stack, &batch, &[]).await?;
    all_are_heard(&stack).await?;
    is_published(&stack, &batch).await?;
    for id in &batch.ids {
        ensure!(stack.listener()?.published(&id.to_string()).len() == 1);
    }
    Ok(())
}

async fn a_slow_bus_gets_its_events_again_and_loses_nothing(stack: Arc<Stack>) -> Result<()> {
    // The bus accepts the events and answers after the worker has given up; or accepts them later than that; or its answer is
    // lost.
    let slow = Duration::from_secs(8);
    for fault in [Fault::Slow(slow), Fault::Late(slow), Fault::Unanswered] {
        let sku = stack.article(10).await?;
        let batch = Batch::new(&sku, 2)?;
        let rule = on_events_of(&stack, &sku, fault)?;
        process(&stack, &batch, &[0, 1]).await?;
        drop(rule);
        process(&stack, &batch, &[]).await?;
        is_published(&stack, &batch).await?;
        ensure!(stack.aws()?.in_stock(&sku).await? == 8);
    }
    Ok(())
}

async fn a_worker_that_dies_while_it_publishes_loses_no_outcome(stack: Arc<Stack>) -> Result<()> {
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
        let sku = stack.article(10).await?;
        let batch = Batch::new(&sku, 2)?;
        let rule = on_events_of(&stack, &sku, fault)?;
        let killed = stack.aws()?.process(&batch.event()).await;
        ensure!(killed.is_err(), "{killed:?}");
        drop(rule);
        process(&stack, &batch, &[]).await?;
        is_published(&stack, &batch).await?;
        ensure!(stack.aws()?.in_stock(&sku).await? == 8);
    }
    Ok(())
}

/// Injects a fault into each call that publishes the outcome of an order for this article.
fn on_events_of<'a>(stack: &'a Stack, sku: &str, fault: Fault) -> Result<Rule<'a>> {
    let sku = sku.to_owned();
    stack.fault(move |call| {
        let is_hit = call.operation == "PutEvents" && call.contains(&sku);
        is_hit.then(|| fault.clone())
    })
}
