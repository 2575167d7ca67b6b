//! Contention and failures at the table and at the queue.

use crate::{
    orders::{UNKNOWN, new_id, order, placed, sqs_event},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{Outcome, order::kit};
use futures_util::future::try_join_all;
use local::faults::Fault;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

scenarios! {
    a_conflict_is_waited_out [Invoke Tables Faults]
    a_throttled_table_is_waited_out [Invoke Tables Faults]
    a_transaction_that_is_cancelled_without_reasons_is_tried_with_its_next_delivery [Invoke Tables Faults]
    a_failed_row_of_its_own_is_no_redelivery [Invoke Tables Faults]
    a_conflict_beside_other_reasons_keeps_what_they_said [Invoke Tables Faults]
    a_reason_of_another_kind_fails_only_what_it_names [Invoke Tables Faults]
    a_table_that_stays_down_leaves_the_visibility_timeout_alone [Invoke Tables Faults]
    a_table_that_refuses_everyone_is_not_asked_for_each [Invoke Tables Faults]
    a_queue_that_refuses_returns_503_and_no_202_is_false [Queue Tables Faults]
    a_table_that_cannot_be_read_returns_503 [Faults]
}

/// Processes one order while its first transactions meet these faults. It must be confirmed, once.
async fn confirmed_after(stack: &Stack, faults: Vec<Fault>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let (part, met) = (sku.clone(), Arc::new(AtomicUsize::new(0)));
    let (count, expected) = (met.clone(), faults.len() + 1);
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        faults
            .get(if hit {
                count.fetch_add(1, Ordering::Relaxed)
            } else {
                usize::MAX
            })
            .cloned()
    })?;
    let batch = sqs_event(&[(placed(id, &order(&[(&sku, 1)]))?.to_json(), 1)]);
    ensure!(aws.process(&batch).await?.is_empty());
    ensure!(aws.outcome(id).await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 9);
    let met = met.load(Ordering::Relaxed);
    ensure!(met == expected, "{met} transactions, not {expected}");
    Ok(())
}

async fn a_conflict_is_waited_out(stack: Arc<Stack>) -> Result<()> {
    let conflict = Fault::cancel(
        &json!([{"Code": "None"}, {"Code": "TransactionConflict", "Message": "ongoing"}]),
    );
    let whole = Fault::refuse(400, "TransactionConflictException", "ongoing");
    confirmed_after(&stack, vec![conflict.clone(), whole, conflict]).await
}

fn throttled_reason() -> Fault {
    Fault::cancel(&json!([{"Code": "ThrottlingError", "Message": "too much"}, {"Code": "None"}]))
}

async fn a_throttled_table_is_waited_out(stack: Arc<Stack>) -> Result<()> {
    // The SDK itself attempts a call three times: each of these outlasts one call.
    let refusals = [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ];
    let refusals = refusals.map(|(status, code)| vec![Fault::refuse(status, code, "no"); 3]);
    // The SDK leaves these to its caller.
    let reason = throttled_reason();
    let in_progress = Fault::refuse(400, "TransactionInProgressException", "wait");
    let others = [vec![reason.clone(), reason], vec![in_progress; 2]];
    try_join_all(
        refusals
            .into_iter()
            .chain(others)
            .map(|faults| confirmed_after(&stack, faults)),
    )
    .await?;
    Ok(())
}

async fn a_transaction_that_is_cancelled_without_reasons_is_tried_with_its_next_delivery(
    stack: Arc<Stack>,
) -> Result<()> {
    for reasons in [json!([]), Value::Null] {
        let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
        let (part, calls) = (sku.clone(), AtomicUsize::new(0));
        let _rule = stack.fault(move |call| {
            let hit = call.operation == "TransactWriteItems" && call.contains(&part);
            (hit && calls.fetch_add(1, Ordering::Relaxed) == 0).then(|| Fault::cancel(&reasons))
        })?;
        let placed = placed(id, &order(&[(&sku, 1)]))?.to_json();
        let failures = aws.process(&sqs_event(&[(placed.clone(), 1)])).await?;
        ensure!(failures == ["0"], "{failures:?}");
        ensure!(aws.process(&sqs_event(&[(placed, 2)])).await?.is_empty());
        ensure!(aws.outcome(id).await? == Outcome::Confirmed);
        ensure!(aws.in_stock(&sku).await? == 9);
    }
    Ok(())
}

async fn a_failed_row_of_its_own_is_no_redelivery(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let placed = placed(id, &order(&[(&sku, 1)]))?;
    // The row was written after the condition was checked and before the reasons were read: the order must still be processed.
    let row = json!({"id": {"S": id}, "status": {"S": "failed"}, "fingerprint": {"S": placed.fingerprint()}});
    let reasons = json!([{"Code": "ConditionalCheckFailed", "Item": row}, {"Code": "None"}]);
    let (part, calls) = (sku.clone(), AtomicUsize::new(0));
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        (hit && calls.fetch_add(1, Ordering::Relaxed) == 0).then(|| Fault::cancel(&reasons))
    })?;
    let batch = sqs_event(&[(placed.to_json(), 1)]);
    ensure!(aws.process(&batch).await?.is_empty());
    ensure!(aws.outcome(id).await? == Outcome::Confirmed);
    ensure!(aws.in_stock(&sku).await? == 9);
    Ok(())
}

async fn a_conflict_beside_other_reasons_keeps_what_they_said(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(1).await?);
    let ids = [new_id()?, new_id()?];
    let reasons = json!([
        {"Code": "TransactionConflict", "Message": "ongoing"}, {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "no", "Item": kit::row_of(&sku, 1)},
    ]);
    let (part, calls) = (sku.clone(), Arc::new(AtomicUsize::new(0)));
    let count = calls.clone();
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        (hit && count.fetch_add(1, Ordering::Relaxed) == 0).then(|| Fault::cancel(&reasons))
    })?;
    let mut batch = Vec::new();
    for id in ids {
        batch.push((placed(id, &order(&[(&sku, 1)]))?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&batch)).await?.is_empty());
    // The first refusal shows what the article has left, so the second attempt succeeds.
    ensure!(calls.load(Ordering::Relaxed) == 2, "{calls:?} transactions");
    let first = aws.record(&ids[0].to_string()).await?.context("no row")?;
    let second = aws.record(&ids[1].to_string()).await?.context("no row")?;
    let out = Outcome::TOO_LITTLE;
    ensure!((first.outcome, second.outcome) == (Outcome::Confirmed, out));
    Ok(())
}

async fn a_reason_of_another_kind_fails_only_what_it_names(stack: Arc<Stack>) -> Result<()> {
    let (aws, one, other) = (
        stack.aws()?,
        stack.article(5).await?,
        stack.article(5).await?,
    );
    // Items are orders 0, 1 and 2, then the articles sorted by name.
    let mut skus = [one.clone(), other.clone()];
    skus.sort();
    let reasons = json!([
        {"Code": "None"}, {"Code": "ItemCollectionSizeLimitExceeded", "Message": "too large"}, {"Code": "None"},
        {"Code": "ValidationError", "Message": "a type mismatch"}, {"Code": "None"},
    ]);
    let (part, calls) = (one.clone(), AtomicUsize::new(0));
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        (hit && calls.fetch_add(1, Ordering::Relaxed) == 0).then(|| Fault::cancel(&reasons))
    })?;
    let mut batch = Vec::new();
    for lines in [
        [(&*skus[1], 1), (&*skus[1], 1)],
        [(&*skus[1], 1), (&*skus[1], 1)],
        [(&*skus[0], 1), (&*skus[1], 1)],
    ] {
        batch.push((placed(new_id()?, &order(&lines))?.to_json(), 1));
    }
    let failed = aws.process(&sqs_event(&batch)).await?;
    ensure!(failed == ["1", "2"], "{failed:?}");
    ensure!(aws.in_stock(&skus[1]).await? == 3);
    Ok(())
}

/// Processes two orders while each call with this article is refused; both must be reported as failed. Returns how often the
/// table was called, and whether a record was put off.
async fn refused(stack: &Stack, fault: Fault) -> Result<(usize, bool)> {
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    let (part, calls, put_off) = (
        sku.clone(),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (count, changes) = (calls.clone(), put_off.clone());
    let handle = format!("handle-of-{sku}");
    let part_of_handle = handle.clone();
    let _rule = stack.fault(move |call| {
        if call.contains(&part_of_handle) {
            changes.fetch_add(1, Ordering::Relaxed);
        }
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            fault.clone()
        })
    })?;
    let mut bodies = Vec::new();
    for _ in 0..2 {
        bodies.push((placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1));
    }
    let mut event = sqs_event(&bodies);
    for n in 0..2 {
        event["Records"][n]["receiptHandle"] = json!(handle);
    }
    let failed = aws.process(&event).await?;
    ensure!(failed == ["0", "1"], "{failed:?}");
    ensure!(aws.in_stock(&sku).await? == 10);
    Ok((
        calls.load(Ordering::Relaxed),
        put_off.load(Ordering::Relaxed) > 0,
    ))
}

async fn a_table_that_stays_down_leaves_the_visibility_timeout_alone(
    stack: Arc<Stack>,
) -> Result<()> {
    let ours = [
        Fault::refuse(500, "InternalServerError", "ours"),
        throttled_reason(),
    ];
    for (_, put_off) in try_join_all(ours.map(|fault| refused(&stack, fault))).await? {
        ensure!(!put_off);
    }
    // The counterpart: a failure that one record causes puts that record off.
    let (_, put_off) = refused(&stack, Fault::refuse(400, "ValidationException", "no")).await?;
    ensure!(put_off);
    Ok(())
}

async fn a_table_that_refuses_everyone_is_not_asked_for_each(stack: Arc<Stack>) -> Result<()> {
    let (calls, put_off) =
        refused(&stack, Fault::refuse(400, "AccessDeniedException", "no")).await?;
    ensure!(calls == 1 && !put_off, "{calls} calls");
    // A table that rejects a request as a whole is called for both orders, then for the first and for the second.
    let (calls, _) = refused(&stack, Fault::refuse(400, "ValidationException", "no")).await?;
    ensure!(calls == 3, "{calls} calls");
    Ok(())
}

async fn a_queue_that_refuses_returns_503_and_no_202_is_false(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let (part, calls) = (sku.clone(), AtomicUsize::new(0));
    let _rule = stack.fault(move |call| {
        let hit = call.operation == "SendMessage" && call.contains(&part);
        // Each order is sent five times, so letting one attempt in eight succeed accepts about half of the orders.
        (hit && calls.fetch_add(1, Ordering::Relaxed) % 8 != 0)
            .then(|| Fault::refuse(503, "ServiceUnavailable", "down"))
    })?;
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for _ in 0..12 {
        let reply = stack.api.post(&order(&[(&sku, 1)]), None).await?;
        if reply.status == 202 {
            accepted.push(reply.json()?["id"].as_str().context("no id")?.to_owned());
        } else {
            let problem = reply.problem(503)?;
            ensure!(
                problem["type"] == "queue-unavailable" && reply.header("retry-after") == Some("5"),
                "{reply:?}"
            );
            refused += 1;
        }
    }
    ensure!(
        refused > 0 && !accepted.is_empty(),
        "{refused} refused, {} accepted",
        accepted.len()
    );
    for id in &accepted {
        ensure!(stack.api.settled(id).await?["status"] == "confirmed");
    }
    ensure!(stack.aws()?.in_stock(&sku).await? == 1000 - accepted.len() as u64);
    Ok(())
}

async fn a_table_that_cannot_be_read_returns_503(stack: Arc<Stack>) -> Result<()> {
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    let part = id.clone();
    let rule = stack.fault(move |call| {
        let hit = call.operation == "GetItem" && call.contains(&part);
        hit.then(|| Fault::refuse(500, "InternalServerError", "ours"))
    })?;
    let reply = stack.api.get(&id).await?;
    reply.problem(503)?;
    ensure!(reply.header("retry-after").is_some(), "{reply:?}");
    drop(rule);
    stack.api.settled(&id).await?;
    Ok(())
}
