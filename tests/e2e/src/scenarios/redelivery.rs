//! A message that arrives twice takes effect once.

use crate::{
    orders::{new_id, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{OrderPlaced, OrderRecord, Outcome, order::kit};
use local::faults::Fault;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

scenarios! {
    a_redelivered_message_is_stored_once [Queue Tables]
    copies_in_one_batch_are_stored_once [Invoke Tables]
    copies_of_an_order_that_fails_fail_too [Invoke Tables]
    a_copy_behind_a_key_mismatch_is_not_lost [Invoke Tables]
    a_redelivery_among_new_orders_takes_nothing [Invoke Tables]
    a_redelivered_rejection_stays_rejected [Invoke Tables]
    a_failed_order_is_not_overwritten_by_another_with_its_id [Invoke Tables]
    a_commit_whose_answer_is_lost_takes_effect_once [Invoke Tables Faults]
    a_commit_that_is_answered_too_late_takes_effect_once [Invoke Tables Faults]
}

async fn a_redelivered_message_is_stored_once(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let message = placed(id, &order(&[(&sku, 1)]))?.to_json();
    aws.send(&message).await?;
    let key = id.to_string();
    let row = until("the order has a row", || aws.record(&key)).await?;
    for _ in 0..3 {
        aws.send(&message).await?;
    }
    // An order that is sent after them, alone in its article, shows when they have been processed.
    let settled = stack
        .api
        .settled(
            &stack
                .api
                .place(&order(&[(&stack.article(1).await?, 1)]), None)
                .await?,
        )
        .await?;
    ensure!(settled["status"] == "confirmed", "{settled}");
    ensure!(aws.in_stock(&sku).await? == 9);
    ensure!(aws.record(&id.to_string()).await?.as_ref() == Some(&row));
    Ok(())
}

async fn copies_in_one_batch_are_stored_once(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let message = placed(id, &order(&[(&sku, 2)]))?.to_json();
    let other = placed(id, &order(&[(&sku, 7)]))?.to_json();
    let batch = sqs_event(&[(message.clone(), 1), (message, 2), (other, 1)]);
    ensure!(aws.process(&batch).await?.is_empty());
    ensure!(aws.in_stock(&sku).await? == 8);
    Ok(())
}

async fn copies_of_an_order_that_fails_fail_too(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    aws.put_row(&kit::broken_row_of(&sku)).await?;
    let message = placed(id, &order(&[(&sku, 2)]))?.to_json();
    let batch = sqs_event(&[(message.clone(), 1), (message, 1)]);
    let failed = aws.process(&batch).await?;
    ensure!(failed == ["0", "1"], "{failed:?}");
    aws.put_stock(&sku, 10).await
}

async fn a_copy_behind_a_key_mismatch_is_not_lost(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let mine = placed(id, &order(&[(&sku, 1)]))?;
    put_failed(&stack, &mine).await?;
    // A redrive brings the order back beside a retry of its key with another order, which arrives first.
    let other = placed(id, &order(&[(&sku, 5)]))?.to_json();
    let batch = sqs_event(&[(other.clone(), 1), (mine.to_json(), 1), (other, 1)]);
    let failed = aws.process(&batch).await?;
    ensure!(failed.is_empty(), "{failed:?}");
    ensure!(aws.outcome(id).await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

/// Writes the row of an order that `process` has given up on.
async fn put_failed(stack: &Stack, placed: &OrderPlaced) -> Result<OrderRecord> {
    let aws = stack.aws()?;
    let failed = OrderRecord::new(placed.clone(), Outcome::Failed, placed.placed_at());
    let put = aws.dynamodb.put_item().table_name(&aws.names.orders);
    put.set_item(Some(serde_dynamo::to_item(&failed)?))
        .send()
        .await?;
    Ok(failed)
}

async fn a_redelivery_among_new_orders_takes_nothing(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(3).await?);
    let old = placed(new_id()?, &order(&[(&sku, 1)]))?.to_json();
    ensure!(
        aws.process(&sqs_event(&[(old.clone(), 1)]))
            .await?
            .is_empty()
    );
    // Two pieces are left for three orders that want one, and for one that already got its own: both kinds of reasons at once.
    let ids = [new_id()?, new_id()?, new_id()?];
    let mut batch = vec![(old, 2)];
    for id in ids {
        batch.push((placed(id, &order(&[(&sku, 1)]))?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    let mut outcomes = Vec::new();
    for id in ids {
        let row = aws.record(&id.to_string()).await?.context("no row")?;
        outcomes.push(row.outcome);
    }
    let out = Outcome::TOO_LITTLE;
    ensure!(
        outcomes == [Outcome::Confirmed, Outcome::Confirmed, out],
        "{outcomes:?}"
    );
    ensure!(aws.in_stock(&sku).await? == 0);
    Ok(())
}

async fn a_redelivered_rejection_stays_rejected(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(0).await?, new_id()?);
    let batch = sqs_event(&[(placed(id, &order(&[(&sku, 1)]))?.to_json(), 1)]);
    ensure!(aws.process(&batch).await?.is_empty());
    let other = stack.article(1).await?;
    aws.put_stock(&sku, 5).await?;
    ensure!(aws.process(&batch).await?.is_empty());
    let row = aws.record(&id.to_string()).await?.context("no row")?;
    ensure!(row.outcome == Outcome::TOO_LITTLE, "{row:?}");
    ensure!(aws.in_stock(&sku).await? == 5);
    aws.put_stock(&sku, 0).await?;
    ensure!(aws.in_stock(&other).await? == 1);
    Ok(())
}

async fn a_failed_order_is_not_overwritten_by_another_with_its_id(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(9).await?, new_id()?);
    let first = placed(id, &order(&[(&sku, 1)]))?;
    let failed = put_failed(&stack, &first).await?;
    let other = placed(id, &order(&[(&sku, 5)]))?.to_json();
    let alone = sqs_event(&[(other.clone(), 1)]);
    ensure!(aws.process(&alone).await?.is_empty(), "a key mismatch");
    ensure!(aws.record(&id.to_string()).await? == Some(failed));
    ensure!(aws.in_stock(&sku).await? == 9);
    // Its own redelivery settles it, even behind the other order.
    let both = sqs_event(&[(other, 2), (first.to_json(), 2)]);
    ensure!(aws.process(&both).await?.is_empty());
    ensure!(aws.outcome(id).await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 8);
    Ok(())
}

async fn a_commit_whose_answer_is_lost_takes_effect_once(stack: Arc<Stack>) -> Result<()> {
    lost_answer(&stack, Fault::Unanswered).await
}

async fn a_commit_that_is_answered_too_late_takes_effect_once(stack: Arc<Stack>) -> Result<()> {
    lost_answer(&stack, Fault::Late(Duration::from_millis(2500))).await
}

/// Commits the first call, but lets `process` learn of it too late or never.
async fn lost_answer(stack: &Stack, fault: Fault) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let (calls, part) = (AtomicUsize::new(0), sku.clone());
    let _rule = stack.fault(move |call| {
        // The SDK attempts a call three times with one token: all three attempts of the first call are lost.
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        (hit && calls.fetch_add(1, Ordering::Relaxed) < 3).then(|| fault.clone())
    })?;
    let batch = sqs_event(&[(placed(id, &order(&[(&sku, 1)]))?.to_json(), 1)]);
    ensure!(aws.process(&batch).await?.is_empty());
    ensure!(aws.outcome(id).await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}
