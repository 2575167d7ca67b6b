//! The backend's load stays level.

use crate::{
    orders::{new_id, new_key, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use local::faults::Fault;
use std::{sync::Arc, time::Duration};

scenarios! {
    a_batch_of_50_orders_for_one_article_is_one_transaction [Invoke Tables Faults]
    a_batch_is_processed_without_a_read [Invoke Tables Faults]
    a_hundred_actions_are_one_transaction_and_more_are_two [Invoke Tables Faults]
    a_batch_as_large_as_an_invocation_is_settled_at_once [Invoke Tables Faults]
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

async fn a_batch_is_processed_without_a_read(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, ids) = (
        stack.aws()?,
        stack.article(10).await?,
        [new_id()?, new_id()?],
    );
    let calls = stack.record(&[&sku, &ids[0].to_string(), &ids[1].to_string()])?;
    let mut batch = Vec::new();
    for id in ids {
        batch.push((placed(id, &order(&[(&sku, 1)]))?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    let calls = calls.by("ProcessFunction");
    let mut operations: Vec<_> = calls.iter().map(|call| &*call.operation).collect();
    operations.retain(|operation| *operation != "PutEvents");
    ensure!(operations == ["TransactWriteItems"], "{operations:?}");
    Ok(())
}

async fn a_hundred_actions_are_one_transaction_and_more_are_two(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    // With 49 articles, then with 50.
    for (articles, expected) in [(49, 1), (50, 2)] {
        let mut skus = vec![stack.article(60).await?];
        while skus.len() < articles {
            skus.push(stack.article(10).await?);
        }
        let transactions = stack.watch("TransactWriteItems", &skus[0])?;
        let mut batch = Vec::new();
        for n in 0..51 {
            // Every order has the first article, so each transaction has it.
            let lines = [(&*skus[0], 1), (&*skus[n % articles], 1)];
            let lines = &lines[usize::from(n % articles == 0)..];
            batch.push((placed(new_id()?, &order(lines))?.to_json(), 1));
        }
        ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
        ensure!(
            transactions.count() == expected,
            "{} transactions",
            transactions.count()
        );
    }
    Ok(())
}

/// `BatchSize` may be 10,000, but Lambda takes 6 MB. On LocalStack the tables need longer than an invocation lasts.
async fn a_batch_as_large_as_an_invocation_is_settled_at_once(stack: Arc<Stack>) -> Result<()> {
    const ARTICLES: usize = 60;
    let aws = stack.aws()?;
    let mut skus = Vec::new();
    while skus.len() < ARTICLES {
        skus.push(stack.article(2000).await?);
    }
    let mut batch = Vec::new();
    let mut left = [2000; ARTICLES];
    for n in 0..1500 {
        let wanted: Vec<_> = (n..n + 50).map(|n| n % ARTICLES).collect();
        for article in &wanted {
            left[*article] -= 1;
        }
        let lines: Vec<_> = wanted.iter().map(|article| (&*skus[*article], 1)).collect();
        batch.push((placed(new_id()?, &order(&lines))?.to_json(), 1));
    }
    let event = sqs_event(&batch);
    let bytes = event.to_string().len();
    ensure!((4_000_000..6_000_000).contains(&bytes), "{bytes} bytes");
    ensure!(aws.process(&event).await?.is_empty());
    for (sku, left) in skus.iter().zip(left) {
        ensure!(aws.in_stock(sku).await? == left, "{sku}");
    }
    Ok(())
}

async fn concurrency_never_exceeds_the_cap(_: Arc<Stack>) -> Result<()> {
    // Uses a stack of its own: scenarios that invoke the function themselves would count.
    let parameters = [
        "MaximumConcurrency=2",
        "ProcessTimeoutSeconds=30",
        "VisibilityTimeoutSeconds=31",
    ];
    let stack = Stack::local(&parameters).await?;
    let sku = stack.article(2000).await?;
    // Slows the writes, so that batches pile up at the cap: each takes longer than the window in which the next is collected,
    // however slowly this machine sends orders.
    let _rule = stack.fault(|call| {
        (call.operation == "TransactWriteItems").then_some(Fault::Late(Duration::from_millis(1500)))
    })?;
    let one = order(&[(&sku, 1)]);
    for _ in 0..10 {
        let keys: Vec<_> = (0..50).map(|_| new_key()).collect();
        try_join_all(keys.iter().map(|key| stack.api.place(&one, Some(key)))).await?;
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
