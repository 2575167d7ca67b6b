//! Rows that are kept for some days only. Here only the scenario deletes them, as DynamoDB would some day.

use crate::{
    orders::{UNKNOWN, new_key, order},
    patience::until,
    reply::Reply,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use serde_json::Value;
use std::sync::Arc;

scenarios! {
    an_order_whose_row_expired_is_unknown_until_it_is_sent_again [Parameters]
    a_key_whose_row_expired_and_is_still_there_is_a_new_order [Parameters]
    rows_are_kept_for_ever_unless_the_template_says_otherwise [Tables Faults]
}

/// The attribute that DynamoDB deletes a row by.
async fn expires_at(stack: &Stack, id: &str) -> Result<Option<i64>> {
    let row = serde_json::to_value(stack.aws()?.record(id).await?.context("no row")?)?;
    Ok(row.get("expires_at").and_then(Value::as_i64))
}

async fn an_order_whose_row_expired_is_unknown_until_it_is_sent_again(_: Arc<Stack>) -> Result<()> {
    const OLD: &str = "?placed_at=2020-01-01T00:00:00Z";
    let stack = Stack::local(&["KeepDays=30"]).await?;
    let (sku, key) = (stack.article(10).await?, new_key());
    let sent = order(&[(&sku, 1)]);
    let id = stack.api.place(&sent, Some(&key)).await?;
    let settled = stack.api.settled(&id).await?;
    let processed_at: events::Timestamp = serde_json::from_value(settled["processed_at"].clone())?;
    // 15 days more than promised, for retries that are settled late.
    let expected = processed_at.seconds() + 45 * 24 * 3600;
    ensure!(expires_at(&stack, &id).await? == Some(expected));
    // While the row exists it is returned, and a retry changes nothing.
    ensure!(stack.api.get(&format!("{id}{OLD}")).await?.json()? == settled);

    let aws = stack.aws()?;
    let delete = aws.dynamodb.delete_item().table_name(&aws.names.orders);
    delete
        .key("id", AttributeValue::S(id.clone()))
        .send()
        .await?;
    let queued = |reply: &Reply| Ok::<_, anyhow::Error>(reply.json()?["status"] == "queued");
    let gone = stack.api.get(&format!("{id}{OLD}")).await?;
    ensure!(gone.status == 404, "{gone:?}");
    ensure!(gone.header("retry-after").is_none(), "{gone:?}");
    let unhinted = stack.api.get(&id).await?;
    ensure!(unhinted.status == 200 && queued(&unhinted)?, "{unhinted:?}");
    // One hint serves all orders of a request, and may be that of an older one.
    let many = format!("/orders{OLD}&ids={id}");
    let many = stack.api.send(Method::GET, &many, &[], "").await?;
    ensure!(many.json()?["results"][0]["status"] == "queued", "{many:?}");

    // Its key no longer protects it: it is an order like any other.
    ensure!(stack.api.place(&sent, Some(&key)).await? == id);
    ensure!(stack.api.settled(&id).await?["status"] == "confirmed");
    ensure!(aws.in_stock(&sku).await? == 8);
    stack.stop().await;
    Ok(())
}

async fn a_key_whose_row_expired_and_is_still_there_is_a_new_order(_: Arc<Stack>) -> Result<()> {
    // An expired row may still exist after `KeepDays` is unset.
    for parameters in [&["KeepDays=30"][..], &[]] {
        let stack = Stack::local(parameters).await?;
        a_key_is_free_again(&stack, !parameters.is_empty()).await?;
        stack.stop().await;
    }
    Ok(())
}

async fn a_key_is_free_again(stack: &Stack, expires: bool) -> Result<()> {
    let (aws, sku, key) = (stack.aws()?, stack.article(10).await?, new_key());
    let id = stack.api.place(&order(&[(&sku, 1)]), Some(&key)).await?;
    stack.api.settled(&id).await?;
    let expire = async || {
        let update = aws.dynamodb.update_item().table_name(&aws.names.orders);
        update
            .key("id", AttributeValue::S(id.clone()))
            .update_expression("SET expires_at = :past")
            .expression_attribute_values(":past", AttributeValue::N("1".to_owned()))
            .send()
            .await
    };
    // Sends the same order, and then another one, which is no longer a key mismatch.
    for (pieces, left) in [(1, 8), (3, 5)] {
        expire().await?;
        // Its client reads no outcome that is about to change.
        ensure!(stack.api.get(&id).await?.json()?["status"] == "queued");
        stack
            .api
            .place(&order(&[(&sku, pieces)]), Some(&key))
            .await?;
        until("the new order is confirmed", || async {
            Ok((aws.in_stock(&sku).await? == left).then_some(()))
        })
        .await?;
        let at = expires_at(stack, &id).await?;
        ensure!(at != Some(1) && at.is_some() == expires, "{at:?}");
    }
    Ok(())
}

async fn rows_are_kept_for_ever_unless_the_template_says_otherwise(
    stack: Arc<Stack>,
) -> Result<()> {
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    stack.api.settled(&id).await?;
    ensure!(expires_at(&stack, &id).await?.is_none());
    Ok(())
}
