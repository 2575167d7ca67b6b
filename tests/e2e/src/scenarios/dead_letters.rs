//! What an operator does with dead letters.

use crate::{
    orders::{new_id, order, placed},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
    tool::{CALLER, Run},
};
use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::Message;
use events::{OrderPlaced, Outcome, order::kit};
use local::faults::Fault;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;

scenarios! {
    of_ten_dead_orders_three_are_redriven_by_reason_and_seven_stay [Queue Tables]
    a_redrive_that_is_interrupted_loses_nothing_and_a_second_one_finishes [Queue Tables Faults]
}

async fn of_ten_dead_orders_three_are_redriven_by_reason_and_seven_stay(
    stack: Arc<Stack>,
) -> Result<()> {
    let stack = stack.alone().await?;
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let orders = fail(&stack, &sku, 3).await?;
    for n in 0..7 {
        aws.send(&format!("poison {n} for {sku}")).await?;
    }
    until("ten are dead", || dead(&stack, &sku, 10)).await?;

    let listed = stack.tool(&["list"]).await?;
    let is_listed = |placed: &OrderPlaced| listed.out.contains(&placed.id().to_string());
    ensure!(listed.code == Some(0), "{listed:?}");
    ensure!(orders.iter().all(is_listed), "{listed:?}");
    ensure!(!listed.out.contains(&sku), "{listed:?}");
    let by_reason = ["redrive", "--reason", "failed"];
    let dry = stack
        .tool(&[&by_reason[..], &["--dry-run"]].concat())
        .await?;
    ensure!(dry.code == Some(0), "{dry:?}");
    ensure!(dry.out.contains("3 would be redriven"), "{dry:?}");
    until("ten are still dead", || dead(&stack, &sku, 10)).await?;

    aws.put_stock(&sku, 10).await?;
    let redriven = stack.tool(&by_reason).await?;
    ensure!(redriven.code == Some(0), "{redriven:?}");
    ensure!(
        redriven.out.contains("3 redriven, 0 refused, 7 stay"),
        "{redriven:?}"
    );
    confirmed(&stack, &orders).await?;
    ensure!(aws.in_stock(&sku).await? == 7);

    let mut poison = until("seven stay", || dead(&stack, &sku, 7)).await?;
    let last = poison.pop().and_then(|message| message.message_id);
    for message in poison {
        aws.forget(&message).await?;
    }
    let id = last.context("no id")?;
    let shown = stack.tool(&["show", &id]).await?;
    ensure!(
        shown.code == Some(0) && !shown.out.contains(&sku),
        "{shown:?}"
    );
    let whole = stack.tool(&["show", &id, "--order"]).await?;
    ensure!(whole.out.contains(&sku), "{whole:?}");
    // Without a terminal the tool can't ask for confirmation.
    let unasked = stack.tool(&["drop", &id]).await?;
    ensure!(
        unasked.code == Some(1) && unasked.err.contains("--yes"),
        "{unasked:?}"
    );
    ensure!(dead(&stack, &sku, 1).await?.is_some());
    let dropped = stack.tool(&["drop", &id, "--yes"]).await?;
    ensure!(
        dropped.code == Some(0) && dropped.out.contains("1 dropped"),
        "{dropped:?}"
    );
    until("none is left", || dead(&stack, &sku, 0)).await?;
    stack.end().await
}

async fn a_redrive_that_is_interrupted_loses_nothing_and_a_second_one_finishes(
    stack: Arc<Stack>,
) -> Result<()> {
    let stack = stack.alone().await?;
    let (aws, sku) = (stack.aws()?, stack.article(100).await?);
    let orders = fail(&stack, &sku, 12).await?;
    until("twelve are dead", || dead(&stack, &sku, 12)).await?;
    aws.put_stock(&sku, 100).await?;
    let calls = stack.record(&[&sku])?;

    // Delays the answer to the first page, of ten at most, so that the interrupt comes before it.
    let (signal, is_on_its_way) = oneshot::channel();
    let signal = Mutex::new(Some(signal));
    let slow = stack.fault(move |call| {
        if call.caller != CALLER || call.operation != "SendMessageBatch" {
            return None;
        }
        let signal = signal.lock().expect("no panic in here").take()?;
        signal.send(()).ok()?;
        Some(Fault::Slow(Duration::from_secs(1)))
    })?;
    let tool = stack.start_tool(&["redrive", "--reason", "failed"]).await?;
    let process = tool.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    is_on_its_way.await?;
    kill_process(process.context("it has ended")?, Signal::INT)?;
    let interrupted = Run::of(tool).await?;
    drop(slow);
    ensure!(interrupted.code == Some(130), "{interrupted:?}");
    ensure!(
        interrupted.err.contains("Interrupted after"),
        "{interrupted:?}"
    );
    let (sent, left): (Vec<_>, Vec<_>) = orders
        .iter()
        .cloned()
        .partition(|placed| interrupted.out.contains(&placed.id().to_string()));
    let count = sent.len();
    ensure!((1..=10).contains(&count), "{interrupted:?}");
    let summary = format!("{count} redriven, 0 refused");
    ensure!(interrupted.out.contains(&summary), "{interrupted:?}");
    confirmed(&stack, &sent).await?;
    until("the others are dead", || dead(&stack, &sku, left.len())).await?;
    for placed in &left {
        ensure!(aws.outcome(placed.id()).await? == Outcome::Failed);
    }

    let second = stack.tool(&["redrive", "--reason", "failed"]).await?;
    ensure!(second.code == Some(0), "{second:?}");
    let summary = format!("{} redriven, 0 refused", left.len());
    ensure!(second.out.contains(&summary), "{second:?}");
    confirmed(&stack, &orders).await?;
    until("none is left", || dead(&stack, &sku, 0)).await?;
    ensure!(aws.in_stock(&sku).await? == 88);
    let mut groups = Vec::new();
    for call in calls.of("SendMessageBatch") {
        let entries = call.request["Entries"].as_array().context("no entries")?;
        groups.extend(entries.iter().map(|entry| entry["MessageGroupId"].clone()));
    }
    ensure!(
        groups == vec![orders[0].client().message_group(); 12],
        "{groups:?}"
    );
    stack.end().await
}

/// Sends this many orders for an article whose row is broken, and waits until each has failed.
async fn fail(stack: &Stack, sku: &str, count: usize) -> Result<Vec<OrderPlaced>> {
    let aws = stack.aws()?;
    aws.put_row(&kit::broken_row_of(sku)).await?;
    let mut orders = Vec::new();
    for _ in 0..count {
        let placed = placed(new_id()?, &order(&[(sku, 1)]))?;
        aws.send(&placed.to_json()).await?;
        orders.push(placed);
    }
    have(stack, &orders, Outcome::Failed).await?;
    Ok(orders)
}

async fn confirmed(stack: &Stack, orders: &[OrderPlaced]) -> Result<()> {
    have(stack, orders, Outcome::Confirmed).await
}

async fn have(stack: &Stack, orders: &[OrderPlaced], outcome: Outcome) -> Result<()> {
    let aws = stack.aws()?;
    for placed in orders {
        let id = placed.id().to_string();
        until(&format!("{id} is {outcome:?}"), || async {
            let record = aws.record(&id).await?;
            Ok(record.filter(|record| record.outcome == outcome))
        })
        .await?;
    }
    Ok(())
}

/// Returns the dead letters with this article, once there are this many.
async fn dead(stack: &Stack, sku: &str, count: usize) -> Result<Option<Vec<Message>>> {
    let mut letters = stack.aws()?.dead_letters().await?;
    letters.retain(|letter| {
        letter
            .body
            .as_deref()
            .is_some_and(|body| body.contains(sku))
    });
    Ok((letters.len() == count).then_some(letters))
}
