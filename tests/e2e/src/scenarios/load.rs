//! The backend's load stays flat.

use crate::{
    orders::{new_id, order, placed, sqs_event},
    scenarios::scenarios,
    stack::{Stack, until},
};
use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use local::faults::Fault;
use std::{sync::Arc, time::Duration};

scenarios! {
    a_batch_of_50_orders_for_one_article_is_one_transaction [Invoke Tables Faults]
    orders_too_large_for_one_transaction_take_two [Invoke Tables Faults]
    concurrency_never_exceeds_the_cap [Faults]
}

async fn a_batch_of_50_orders_for_one_article_is_one_transaction(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(100).await?);
    let transactions = stack.watch("TransactWriteItems", &sku)?;
    let mut batch = Vec::new();
    for _ in 0..50 {
        batch.push((placed(new_id()?, &order(&[(&sku, 2)]))?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    ensure!(
        transactions.count() == 1,
        "{} transactions",
        transactions.count()
    );
    ensure!(aws.in_stock(&sku).await? == 0);
    Ok(())
}

async fn orders_too_large_for_one_transaction_take_two(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(100).await?);
    let transactions = stack.watch("TransactWriteItems", &sku)?;
    let mut batch = Vec::new();
    for _ in 0..45 {
        let mut sent = order(&[(&sku, 1)]);
        sent["reference"] = "x".repeat(100_000).into();
        batch.push((placed(new_id()?, &sent)?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    ensure!(
        transactions.count() == 2,
        "{} transactions",
        transactions.count()
    );
    ensure!(aws.in_stock(&sku).await? == 55);
    Ok(())
}

async fn concurrency_never_exceeds_the_cap(_: Arc<Stack>) -> Result<()> {
    // A stack of its own: scenarios that invoke the function themselves would count.
    let stack = Stack::local(&["MaximumConcurrency=2"]).await?;
    let sku = stack.article(2000).await?;
    // Slow writes, so that batches pile up before the cap.
    let _rule = stack.fault(|call| {
        (call.operation == "TransactWriteItems").then_some(Fault::Late(Duration::from_millis(200)))
    })?;
    let one = order(&[(&sku, 1)]);
    for _ in 0..10 {
        try_join_all((0..50).map(|_| stack.api.place(&one, None))).await?;
    }
    until("all are confirmed", || async {
        Ok((stack.aws()?.in_stock(&sku).await? == 1500).then_some(()))
    })
    .await?;
    let peak = stack.cloud()?.lambda().peak_concurrency("ProcessFunction");
    ensure!(peak == 2, "{peak} at a time");
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}
