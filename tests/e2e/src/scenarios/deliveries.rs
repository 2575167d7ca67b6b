//! A queue delivers messages at least once, at any time, in any sequence.

use crate::{
    orders::{new_id, new_key, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
    watch::Seen,
};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use local::faults::{Delivery, Fault, Kind};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

scenarios! {
    a_message_that_is_delivered_twice_takes_effect_once [Tables Faults]
    a_late_message_is_queued_until_it_comes [Tables Faults]
    an_order_that_is_overtaken_is_served_after_the_others [Tables Faults]
    a_receive_count_that_jumps_to_the_last_is_the_last [Tables Faults]
    a_last_receive_whose_failed_row_is_refused_is_tried_anyway [Invoke Tables Faults]
    a_record_that_cannot_be_put_off_comes_back_anyway [Faults]
    a_late_worker_puts_off_what_its_successor_has_and_costs_nothing [Faults]
}

async fn a_message_that_is_delivered_twice_takes_effect_once(stack: Arc<Stack>) -> Result<()> {
    // The duplicate comes at once, beside the first message, and after the first is deleted.
    for after in [Duration::ZERO, Duration::from_secs(4)] {
        let sku = stack.article(10).await?;
        let transactions = stack.watch("TransactWriteItems", &sku)?;
        let _rule = stack.once(Kind::Message(Delivery::Twice(after)), &sku)?;
        let id = stack
            .api
            .place(&order(&[(&sku, 1)]), Some(&new_key()))
            .await?;
        ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
        if !after.is_zero() {
            until("the duplicate is processed", || async {
                Ok((transactions.count() > 1).then_some(()))
            })
            .await?;
        }
        ensure!(stack.aws()?.in_stock(&sku).await? == 9);
    }
    Ok(())
}

async fn a_late_message_is_queued_until_it_comes(stack: Arc<Stack>) -> Result<()> {
    let (sku, late) = (stack.article(10).await?, Duration::from_secs(5));
    let _rule = stack.once(Kind::Message(Delivery::Late(late)), &sku)?;
    let sent = Instant::now();
    let id = stack
        .api
        .place(&order(&[(&sku, 1)]), Some(&new_key()))
        .await?;
    // It exists for its client the whole time.
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    ensure!(sent.elapsed() >= late);
    Ok(())
}

async fn an_order_that_is_overtaken_is_served_after_the_others(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(1).await?);
    let ids = [new_id()?, new_id()?];
    let overtaken = Kind::Message(Delivery::Late(Duration::from_secs(1)));
    let rule = stack.always(overtaken, &ids[0].to_string())?;
    for id in ids {
        aws.send(&placed(id, &order(&[(&sku, 1)]))?.to_json())
            .await?;
    }
    let outcome = async |id: &str| {
        let row = until("the order has a row", || aws.record(id)).await?;
        anyhow::Ok(row.outcome)
    };
    ensure!(outcome(&ids[1].to_string()).await? == Outcome::Confirmed);
    // It was hidden until the other one was served.
    drop(rule);
    ensure!(outcome(&ids[0].to_string()).await? == Outcome::TOO_LITTLE);
    Ok(())
}

async fn a_receive_count_that_jumps_to_the_last_is_the_last(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let calls = stack.record(&[&sku])?;
    // Three receives are the maximum here: the first one is counted as the third.
    let _rule = stack.once(Kind::Message(Delivery::Received(2)), &sku)?;
    let id = stack
        .api
        .place(&order(&[(&sku, 1)]), Some(&new_key()))
        .await?;
    until("the order is confirmed", || async {
        let order = stack.api.settled(&id).await?;
        Ok((order["status"] == "confirmed").then_some(()))
    })
    .await?;
    ensure!(calls.of("PutItem").len() == 1);
    ensure!(stack.aws()?.in_stock(&sku).await? == 9);
    Ok(())
}

async fn a_last_receive_whose_failed_row_is_refused_is_tried_anyway(
    stack: Arc<Stack>,
) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let part = sku.clone();
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "PutItem" && call.contains(&part);
        hit.then(|| Fault::refuse(400, "ValidationException", "no"))
    })?;
    let batch = sqs_event(&[(placed(id, &order(&[(&sku, 1)]))?.to_json(), 1000)]);
    ensure!(aws.process(&batch).await?.is_empty());
    let row = aws.record(&id.to_string()).await?.context("no row")?;
    ensure!(row.outcome == Outcome::Confirmed);
    Ok(())
}

async fn a_record_that_cannot_be_put_off_comes_back_anyway(_: Arc<Stack>) -> Result<()> {
    // Uses a stack of its own, where a record that can't be put off comes back soon.
    let stack = Stack::local(&["VisibilityTimeoutSeconds=7", "ProcessTimeoutSeconds=6"]).await?;
    let sku = stack.article(10).await?;
    let visibility = stack.record(&["VisibilityTimeout"])?;
    let _rule = stack.fault(|call| {
        let put_off = call.operation == "ChangeMessageVisibilityBatch";
        put_off.then(|| Fault::refuse(400, "AccessDenied", "no"))
    })?;
    let _once = stack.once(
        Kind::Call(Fault::refuse(400, "ValidationException", "no")),
        &json!(sku).to_string(),
    )?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    ensure!(visibility.by("ProcessFunction").len() == 1);
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn a_late_worker_puts_off_what_its_successor_has_and_costs_nothing(
    _: Arc<Stack>,
) -> Result<()> {
    // Uses a stack of its own, where a worker gives up soon and nothing else runs.
    let stack = Stack::local(&[
        "VisibilityTimeoutSeconds=7",
        "ProcessTimeoutSeconds=6",
        "RetryBaseSeconds=1",
        "MaxReceiveCount=50",
    ])
    .await?;
    let sku = stack.article(10).await?;
    let put_off = stack.record(&["VisibilityTimeout"])?;
    let early = Kind::Message(Delivery::BackEarly(Duration::from_secs(2)));
    let _early = stack.once(early, &sku)?;
    let conflict = Kind::Cancel("TransactionConflict".to_owned());
    let conflict = stack.always(conflict, &sku)?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    until("two workers have put the message off", || async {
        let calls = put_off.by("ProcessFunction").into_iter();
        let handle = |call: Seen| call.request["Entries"][0]["ReceiptHandle"].to_string();
        let handles: BTreeSet<_> = calls.map(handle).collect();
        Ok((handles.len() > 1).then_some(()))
    })
    .await?;
    let at_once = stack.cloud()?.lambda().peak_concurrency("ProcessFunction");
    ensure!(at_once > 1, "the first gave up before the second began");
    drop(conflict);
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}
