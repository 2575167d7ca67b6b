//! Outages that the system survives; parameters compress time.

use crate::{
    orders::{UNKNOWN, new_id, new_key, order, placed},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use local::faults::Fault;
use serde_json::{Value, json};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::time::Instant;

scenarios! {
    a_table_that_is_down_for_ten_minutes_costs_no_order [Parameters]
    a_queue_that_is_down_loses_nothing_to_clients_who_retry_with_their_keys [Tables Faults]
    while_the_secret_is_rotated_no_accepted_order_is_unknown [Parameters]
    a_message_of_a_future_version_waits_for_its_worker [Parameters]
}

/// How many seconds a message stays hidden after a receive, in the template and here.
const VISIBILITY: (u64, u64) = (185, 6);

async fn a_table_that_is_down_for_ten_minutes_costs_no_order(_: Arc<Stack>) -> Result<()> {
    let visibility = format!("VisibilityTimeoutSeconds={}", VISIBILITY.1);
    let stack = Stack::local(&["ProcessTimeoutSeconds=5", &visibility]).await?;
    let sku = stack.article(1000).await?;
    let outage = Duration::from_secs(600 * VISIBILITY.1 / VISIBILITY.0);
    let down = stack.fault(|call| {
        let tables = ["TransactWriteItems", "PutItem", "UpdateItem", "GetItem"];
        let hit = call.caller.ends_with("Function") && tables.contains(&call.operation);
        hit.then(|| Fault::refuse(500, "InternalServerError", "down"))
    })?;
    let (start, calls) = (Instant::now(), stack.record(&[&sku])?);
    let placing = (0..60).map(|_| async {
        let id = stack
            .api
            .place(&order(&[(&sku, 1)]), Some(&new_key()))
            .await?;
        // The outcome can't be read, but the API recognises the id.
        stack.api.get(&id).await?.problem(503)?;
        Ok::<_, anyhow::Error>(id)
    });
    let ids = try_join_all(placing).await?;
    until("the outage is over", || async {
        Ok((start.elapsed() >= outage).then_some(()))
    })
    .await?;
    // Within one receive, pauses last a second at most.
    let tried = calls.of("TransactWriteItems");
    let mine: Vec<_> = tried
        .iter()
        .filter(|call| call.request.to_string().contains(&ids[0]))
        .collect();
    let pauses = mine
        .windows(2)
        .filter(|two| two[1].at - two[0].at > Duration::from_millis(2500));
    ensure!(
        pauses.count() >= 2,
        "the order was received again too rarely"
    );
    let up = Instant::now();
    drop(down);

    for id in &ids {
        ensure!(stack.api.settled(id).await?["status"] == "confirmed");
    }
    // The receives were not used up: no worker wrote `failed`, and no message is dead.
    ensure!(calls.of("PutItem").is_empty());
    // The first attempt after the outage settles an order: all drain within one more visibility timeout.
    for id in &ids {
        let after = calls.of("TransactWriteItems");
        let after = after
            .iter()
            .filter(|call| call.at > up && call.request.to_string().contains(id));
        ensure!(after.count() <= 2, "{id} was not settled at once");
    }
    ensure!(stack.aws()?.in_stock(&sku).await? == 1000 - 60);
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn a_queue_that_is_down_loses_nothing_to_clients_who_retry_with_their_keys(
    stack: Arc<Stack>,
) -> Result<()> {
    let sku = stack.article(100).await?;
    let part = sku.clone();
    let down = stack.fault(move |call| {
        let hit = call.operation == "SendMessage" && call.contains(&part);
        hit.then(|| Fault::refuse(503, "ServiceUnavailable", "down"))
    })?;
    let (sent, keys) = (order(&[(&sku, 1)]), [(); 10].map(|()| new_key()));
    for reply in try_join_all(keys.iter().map(|key| stack.api.post(&sent, Some(key)))).await? {
        let problem = reply.problem(503)?;
        ensure!(problem["type"] == "queue-unavailable", "{problem}");
        ensure!(reply.header("retry-after") == Some("5"), "{reply:?}");
    }
    drop(down);
    // Some clients retry more than once.
    let again = keys.iter().chain(&keys[..5]);
    let ids = try_join_all(again.map(|key| stack.api.place(&sent, Some(key)))).await?;
    ensure!(ids[..5] == ids[10..]);
    for id in &ids {
        ensure!(stack.api.settled(id).await?["status"] == "confirmed");
    }
    ensure!(stack.aws()?.in_stock(&sku).await? == 90);
    Ok(())
}

/// Starts a `local` that knows two secrets, and whose parameters choose among them.
async fn with_secrets(folder: &Path, parameters: &[&str]) -> Result<Stack> {
    fs::create_dir(folder)?;
    let secrets = json!({"first": "1".repeat(64), "second": "2".repeat(64)});
    fs::write(folder.join("secrets.json"), secrets.to_string())?;
    Stack::local_in(Some(folder), parameters).await
}

async fn while_the_secret_is_rotated_no_accepted_order_is_unknown(_: Arc<Stack>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let deployments = [
        &["OrderIdSecretInUse=first"][..],
        &["OrderIdSecretInUse=first", "OrderIdSecretNext=second"],
        &["OrderIdSecretInUse=second", "OrderIdSecretPrevious=first"],
        &["OrderIdSecretInUse=second"],
    ];
    let (mut stacks, mut ids) = (Vec::new(), Vec::new());
    let (sent, key) = (order(&[(UNKNOWN, 1)]), new_key());
    for (n, parameters) in deployments.into_iter().enumerate() {
        let stack = with_secrets(&folder.path().join(n.to_string()), parameters).await?;
        ids.push(stack.api.place(&sent, Some(&key)).await?);
        stacks.push(stack);
    }
    // While one deployment replaces another, either may have accepted the order and either may be asked for it. Each has its
    // own tables here, so the answer rests on the id alone.
    for (issuer, asked, known) in [
        (0, 1, true),
        (1, 0, true),
        (1, 2, true),
        (2, 1, true),
        // A rotation therefore needs two deployments, and the old secret stays for as long as clients ask for orders.
        (2, 0, false),
        (1, 3, false),
    ] {
        let reply = stacks[asked].api.get(&ids[issuer]).await?;
        let expected = if known { 200 } else { 404 };
        ensure!(reply.status == expected, "{issuer}, {asked}: {reply:?}");
    }
    // A key keeps standing for the same order until the new secret signs.
    ensure!(ids[0] == ids[1] && ids[1] != ids[2] && ids[2] == ids[3]);
    for stack in stacks {
        stack.stop().await;
    }
    Ok(())
}

async fn a_message_of_a_future_version_waits_for_its_worker(_: Arc<Stack>) -> Result<()> {
    let parameters = [
        "ProcessTimeoutSeconds=5",
        "VisibilityTimeoutSeconds=5",
        "MaxReceiveCount=3",
    ];
    let stack = Stack::local(&parameters).await?;
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let put_off = stack.record(&["ReceiptHandle"])?;
    let mut message: Value = serde_json::from_str(&placed(id, &order(&[(&sku, 1)]))?.to_json())?;
    message["version"] = json!(2);
    let (message, part, start) = (message.to_string(), id.to_string(), Instant::now());
    aws.send(&message).await?;
    let neighbour = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    ensure!(stack.api.settled(&neighbour).await?["status"] == "confirmed");

    let found = until("this worker has received it three times", || {
        aws.dead_letter(&part)
    })
    .await?;
    // It came back no sooner than by the visibility timeout: a deployment has 25 of them to complete.
    ensure!(start.elapsed() >= Duration::from_secs(10));
    ensure!(put_off.of("ChangeMessageVisibilityBatch").is_empty());
    ensure!(found.body.as_ref() == Some(&message), "{found:?}");
    ensure!(aws.record(&id.to_string()).await?.is_none());
    aws.forget(&found).await?;
    ensure!(aws.in_stock(&sku).await? == 9);
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}
