//! Messages that can't be processed.

use crate::{
    orders::{UNKNOWN, new_id, new_key, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{Outcome, order::kit};
use http::Method;
use local::faults::{Delivery, Fault, Kind};
use serde_json::{Value, json};
use std::sync::Arc;

scenarios! {
    a_poison_message_reaches_the_dead_letter_queue_and_its_neighbours_are_stored [Queue Tables]
    an_order_that_fails_for_good_reads_failed_and_after_a_redrive_confirmed [Queue Tables]
    an_order_that_is_placed_again_after_it_failed_reads_queued_until_it_is_settled [Queue Tables]
    an_order_on_its_last_try_reads_queued_and_then_confirmed [Tables Faults]
    an_order_on_its_only_try_reads_queued_and_then_confirmed [Parameters]
    an_order_is_failed_before_its_last_try [Invoke Tables Faults]
    a_last_try_is_a_transaction_of_its_own [Invoke Tables Faults]
    a_last_receive_overwrites_no_outcome [Invoke Tables]
    only_the_record_at_fault_is_answered_as_failed [Invoke Tables]
    a_message_of_another_version_is_left_on_the_queue [Invoke]
    an_order_that_no_table_takes_spares_its_neighbours [Invoke Tables]
    a_record_without_an_id_fails_the_batch [Invoke]
}

async fn a_poison_message_reaches_the_dead_letter_queue_and_its_neighbours_are_stored(
    stack: Arc<Stack>,
) -> Result<()> {
    let _waiting = stack.dead_letters.read().await;
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let poison = format!("poison for {sku}");
    let mut ids = Vec::new();
    for n in 0..5 {
        if n == 2 {
            aws.send(&poison).await?;
        }
        ids.push(stack.api.place(&order(&[(&sku, 1)]), None).await?);
    }
    for id in ids {
        ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    }
    let message = until("the poison is on the dead-letter queue", || {
        aws.dead_letter(&poison)
    })
    .await?;
    ensure!(message.body.as_deref() == Some(&poison), "{message:?}");
    aws.forget(&message).await
}

async fn an_order_that_fails_for_good_reads_failed_and_after_a_redrive_confirmed(
    stack: Arc<Stack>,
) -> Result<()> {
    let waiting = stack.dead_letters.read().await;
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    // The article's row is broken.
    aws.put_row(&kit::broken_row_of(&sku)).await?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    let failed = stack.api.settled(&id).await?;
    ensure!(
        failed["status"] == "failed" && failed.get("reason").is_none(),
        "{failed}"
    );
    let message = until("the order is on the dead-letter queue", || {
        aws.dead_letter(&id)
    })
    .await?;
    ensure!(stack.api.settled(&id).await?["status"] == "failed");

    aws.put_stock(&sku, 10).await?;
    aws.send(message.body().context("no body")?).await?;
    aws.forget(&message).await?;
    drop(waiting);
    until("the order is confirmed", || async {
        Ok((stack.api.settled(&id).await?["status"] == "confirmed").then_some(()))
    })
    .await?;
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

async fn an_order_that_is_placed_again_after_it_failed_reads_queued_until_it_is_settled(
    stack: Arc<Stack>,
) -> Result<()> {
    let waiting = stack.dead_letters.read().await;
    let (aws, sku, key) = (stack.aws()?, stack.article(10).await?, new_key());
    aws.put_row(&kit::broken_row_of(&sku)).await?;
    let order = order(&[(&sku, 1)]);
    let id = stack.api.place(&order, Some(&key)).await?;
    ensure!(stack.api.settled(&id).await?["status"] == "failed");
    let message = until("the order is on the dead-letter queue", || {
        aws.dead_letter(&id)
    })
    .await?;
    aws.forget(&message).await?;
    drop(waiting);

    let again = stack.api.post(&order, Some(&key)).await?;
    let location = again.header("location").context("no location")?;
    let (_, hint) = location.split_once('?').context("no hint")?;
    let located = format!("{id}?{hint}");
    let reply = stack.api.get(&located).await?;
    ensure!(reply.json()?["status"] == "queued", "{reply:?}");
    ensure!(reply.header("retry-after").is_some(), "{reply:?}");
    aws.put_stock(&sku, 10).await?;
    ensure!(stack.api.settled(&located).await?["status"] == "confirmed");
    Ok(())
}

async fn an_order_on_its_last_try_reads_queued_and_then_confirmed(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let _last = stack.once(Kind::Message(Delivery::Received(2)), &sku)?;
    no_final_status_changes(&stack, &sku).await
}

async fn an_order_on_its_only_try_reads_queued_and_then_confirmed(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&["MaxReceiveCount=1", "ProcessTimeoutSeconds=30"]).await?;
    let sku = stack.article(10).await?;
    no_final_status_changes(&stack, &sku).await?;
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

/// An order is on its last delivery while the table throttles: its row reads `failed`, but its client must not read that.
async fn no_final_status_changes(stack: &Stack, sku: &str) -> Result<()> {
    let part = sku.to_owned();
    let throttled = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then(|| Fault::refuse(400, "ThrottlingException", "no"))
    })?;
    let id = stack.api.place(&order(&[(sku, 1)]), None).await?;
    until("its row reads failed", || async {
        let row = stack.aws()?.record(&id).await?;
        Ok(row.filter(|row| row.outcome == Outcome::Failed))
    })
    .await?;
    let one = stack.api.get(&id).await?;
    let path = format!("/orders?ids={id}");
    let many = stack.api.send(Method::GET, &path, &[], "").await?;
    for (reply, status) in [
        (&one, &one.json()?["status"]),
        (&many, &many.json()?["results"][0]["status"]),
    ] {
        ensure!(*status == "queued", "{reply:?}");
        ensure!(reply.header("retry-after").is_some(), "{reply:?}");
    }
    drop(throttled);
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    Ok(())
}

async fn an_order_is_failed_before_its_last_try(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    // The order's last receive is its duplicate's, too: SQS moves one of them to the dead-letter queue next.
    for receives in [&[1000][..], &[1, 1000]] {
        let (sku, id) = (stack.article(10).await?, new_id()?);
        let calls = stack.record(&[&sku])?;
        let message = placed(id, &order(&[(&sku, 1)]))?.to_json();
        let batch: Vec<_> = receives.iter().map(|n| (message.clone(), *n)).collect();
        ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
        let calls = calls.by("ProcessFunction");
        let operations: Vec<_> = calls.iter().map(|call| &*call.operation).collect();
        ensure!(
            operations == ["PutItem", "TransactWriteItems"],
            "{operations:?}"
        );
        let row = aws.record(&id.to_string()).await?.context("no row")?;
        ensure!(row.outcome == Outcome::Confirmed);
        ensure!(aws.in_stock(&sku).await? == 9);
    }
    Ok(())
}

async fn a_last_try_is_a_transaction_of_its_own(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let transactions = stack.watch("TransactWriteItems", &sku)?;
    let mut batch = Vec::new();
    for receives in [1, 1, 1000, 1, 1000] {
        batch.push((placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), receives));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    ensure!(
        transactions.count() == 3,
        "{} transactions",
        transactions.count()
    );
    ensure!(aws.in_stock(&sku).await? == 5);
    Ok(())
}

async fn a_last_receive_overwrites_no_outcome(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let message = placed(id, &order(&[(&sku, 1)]))?.to_json();
    ensure!(
        aws.process(&sqs_event(&[(message.clone(), 1)]))
            .await?
            .is_empty()
    );
    let row = aws.record(&id.to_string()).await?;
    ensure!(
        aws.process(&sqs_event(&[(message, 1000)]))
            .await?
            .is_empty()
    );
    ensure!(aws.record(&id.to_string()).await? == row);
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

async fn only_the_record_at_fault_is_answered_as_failed(stack: Arc<Stack>) -> Result<()> {
    let (aws, good, broken) = (
        stack.aws()?,
        stack.article(10).await?,
        stack.article(10).await?,
    );
    aws.put_row(&kit::broken_row_of(&broken)).await?;
    let mut batch = vec![("poison".to_owned(), 1), ("{}".to_owned(), 1)];
    for lines in [
        &[(&*good, 1)][..],
        &[(&*good, 1), (&*broken, 1)],
        &[(&*good, 1)],
    ] {
        batch.push((placed(new_id()?, &order(lines))?.to_json(), 1));
    }
    let failed = aws.process(&sqs_event(&batch)).await?;
    ensure!(failed == ["0", "1", "3"], "{failed:?}");
    ensure!(aws.in_stock(&good).await? == 8);
    aws.put_stock(&broken, 10).await
}

async fn a_message_of_another_version_is_left_on_the_queue(stack: Arc<Stack>) -> Result<()> {
    let mut message: Value =
        serde_json::from_str(&placed(new_id()?, &order(&[(UNKNOWN, 1)]))?.to_json())?;
    message["version"] = json!(2);
    let failed = stack
        .aws()?
        .process(&sqs_event(&[(message.to_string(), 1)]))
        .await?;
    ensure!(failed == ["0"], "{failed:?}");
    Ok(())
}

async fn an_order_that_no_table_takes_spares_its_neighbours(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(50).await?);
    let mut batch = Vec::new();
    for n in 0..50 {
        // A key must not be empty: DynamoDB rejects the request as a whole, without naming the order at fault.
        let lines: &[(&str, u64)] = if n == 31 {
            &[(&sku, 1), ("", 1)]
        } else {
            &[(&sku, 1)]
        };
        batch.push((placed(new_id()?, &order(lines))?.to_json(), 1));
    }
    let failed = aws.process(&sqs_event(&batch)).await?;
    ensure!(failed == ["31"], "{failed:?}");
    ensure!(aws.in_stock(&sku).await? == 1);
    Ok(())
}

async fn a_record_without_an_id_fails_the_batch(stack: Arc<Stack>) -> Result<()> {
    let mut event = sqs_event(&[("poison".to_owned(), 1)]);
    event["Records"][0]["messageId"] = json!("");
    let answer = stack.aws()?.process(&event).await;
    ensure!(answer.is_err_and(|error| error.to_string().contains("messageId")));
    Ok(())
}
