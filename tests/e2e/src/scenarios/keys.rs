//! Idempotency keys.

use crate::{
    orders::{UNKNOWN, new_key, order},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

scenarios! {
    a_retry_with_the_same_key_is_the_same_order []
    retries_with_the_same_key_take_effect_once [Tables]
    the_same_key_with_another_order_changes_nothing_and_is_counted [Tables Faults]
    five_hundred_orders_under_one_key_are_settled_by_the_second_receive [Parameters]
    a_key_is_its_clients_own [Clients]
}

async fn a_retry_with_the_same_key_is_the_same_order(stack: Arc<Stack>) -> Result<()> {
    let (sent, key) = (order(&[(UNKNOWN, 1)]), new_key());
    let first = stack.api.place(&sent, Some(&key)).await?;
    ensure!(stack.api.place(&sent, Some(&key)).await? == first);
    ensure!(stack.api.place(&sent, Some(&new_key())).await? != first);
    stack.api.settled(&first).await?;
    ensure!(stack.api.place(&sent, Some(&key)).await? == first);
    Ok(())
}

async fn retries_with_the_same_key_take_effect_once(stack: Arc<Stack>) -> Result<()> {
    let (sku, key) = (stack.article(100).await?, new_key());
    let sent = order(&[(&sku, 1)]);
    let ids = try_join_all((0..20).map(|_| stack.api.place(&sent, Some(&key)))).await?;
    ensure!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    stack.api.settled(&ids[0]).await?;
    // Duplicates may still be on the queue, and must have no effect. The audit checks again once all are processed.
    ensure!(stack.aws()?.in_stock(&sku).await? == 99);
    Ok(())
}

async fn the_same_key_with_another_order_changes_nothing_and_is_counted(
    stack: Arc<Stack>,
) -> Result<()> {
    let (sku, key) = (stack.article(100).await?, new_key());
    let id = stack.api.place(&order(&[(&sku, 1)]), Some(&key)).await?;
    let settled = stack.api.settled(&id).await?;
    let other = stack.api.post(&order(&[(&sku, 5)]), Some(&key)).await?;
    ensure!(
        other.status == 202 && other.json()?["id"] == *id,
        "{other:?}"
    );
    let logged = || async {
        let lines = stack.cloud()?.lambda().log_lines("ProcessFunction");
        let mismatch = |line: &String| {
            let parts = [
                "another order was stored",
                "\"level\":\"WARN\"",
                "\"client\":",
            ];
            line.contains(&id) && parts.iter().all(|part| line.contains(part))
        };
        let counted = |line: &String| line.contains(r#""KeyMismatches":1"#);
        Ok((lines.iter().any(mismatch) && lines.iter().any(counted)).then_some(()))
    };
    until("the mismatch is logged and counted", logged).await?;
    ensure!(stack.api.settled(&id).await? == settled);
    ensure!(stack.aws()?.in_stock(&sku).await? == 99);
    // The client reads that its order has no effect, rather than the first order's outcome.
    let again = stack.api.post(&order(&[(&sku, 1)]), Some(&key)).await?;
    let batch = |quantity| json!({"order": order(&[(&sku, quantity)]), "idempotency_key": key});
    let many = stack.api.post_batch(&[batch(5), batch(5)]).await?;
    for (reply, is_reused) in [(&other, true), (&again, false), (&many, true)] {
        let location = reply.header("location").context("no location")?;
        let path = format!("/{}", location.trim_start_matches("../"));
        let found = stack.api.send(Method::GET, &path, &[], "").await?;
        let problem = match found.json()?["results"].take() {
            Value::Null if is_reused => found.problem(409)?,
            Value::Null => found.json()?,
            results => results[0].clone(),
        };
        let expected = if is_reused {
            json!(409)
        } else {
            json!("confirmed")
        };
        ensure!(problem["status"] == expected, "{found:?}");
        let kind = is_reused.then_some("idempotency-key-reused");
        ensure!(problem["type"].as_str() == kind, "{found:?}");
        ensure!(found.header("retry-after").is_none(), "{found:?}");
        let head = stack.api.send(Method::HEAD, &path, &[], "").await?;
        ensure!(head.status == found.status, "{head:?}");
    }
    Ok(())
}

async fn five_hundred_orders_under_one_key_are_settled_by_the_second_receive(
    _: Arc<Stack>,
) -> Result<()> {
    // Uses a stack of its own, whose log and dead letters no other scenario shares.
    let stack = Stack::local(&[]).await?;
    let (sku, key) = (stack.article(1_000_000).await?, new_key());
    // Every tenth order is also sent twice.
    let (sku, key, api) = (&sku, &key, &stack.api);
    let quantities = (1..=500).chain((1..=500).step_by(10));
    let placing =
        quantities.map(|n| async move { api.place(&order(&[(sku, n)]), Some(key)).await });
    let ids = try_join_all(placing).await?;
    ensure!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // No message is left, and none is dead; exactly one order's stock is taken.
    stack.audit().await?;
    let lines = stack
        .cloud()?
        .lambda()
        .log_lines_with("ProcessFunction", "MostReceives");
    let most = lines.iter().map(|line| {
        let line: Value = serde_json::from_str(line)?;
        anyhow::Ok(line["MostReceives"].as_u64().unwrap_or(u64::MAX))
    });
    let most = most.collect::<Result<Vec<_>>>()?.into_iter().max();
    ensure!(most.is_some_and(|most| most <= 2), "{most:?}");
    stack.stop().await;
    Ok(())
}

async fn a_key_is_its_clients_own(stack: Arc<Stack>) -> Result<()> {
    let (sent, key) = (order(&[(UNKNOWN, 1)]), new_key());
    let other = stack.api.with_key(Some("another client"));
    let (mine, theirs) = (
        stack.api.place(&sent, Some(&key)).await?,
        other.place(&sent, Some(&key)).await?,
    );
    ensure!(mine != theirs);
    stack.api.settled(&mine).await?;
    other.settled(&theirs).await?;
    Ok(())
}
