//! Clients wait for outcomes: they are told when to ask again, and ask for many at a time.

use crate::{
    api::Reply,
    orders::{new_key, order},
    scenarios::scenarios,
    stack::{Stack, until},
};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::Method;
use local::faults::Fault;
use serde_json::{Value, json};
use std::sync::Arc;

scenarios! {
    a_wait_grows_with_the_backlog_and_falls_with_it [Parameters]
    a_backlog_that_cannot_be_read_costs_nothing [Parameters]
    a_client_that_follows_a_location_learns_its_outcome []
    a_hundred_orders_of_every_status_are_told_in_one_request [Tables Clients]
    the_location_of_a_batch_request_tells_all_its_orders [Tables]
    a_request_for_no_order_or_too_many_is_refused []
}

/// The seconds that an answer tells to wait.
fn wait(reply: &Reply) -> Result<u64> {
    let wait = reply
        .header("retry-after")
        .with_context(|| format!("no wait: {reply:?}"))?;
    Ok(wait.parse()?)
}

async fn a_wait_grows_with_the_backlog_and_falls_with_it(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&["StatusRequestsPerSecond=1"]).await?;
    let sku = stack.article(1000).await?;
    let sent = order(&[(&sku, 1)]);
    let ids = {
        let _down = stack.fault(|call| {
            let hit = call.operation == "TransactWriteItems";
            hit.then(|| Fault::refuse(400, "ThrottlingException", "no"))
        })?;
        let first = stack.api.post(&sent, None).await?;
        ensure!(
            wait(&first)? == 2,
            "nothing is known of the backlog yet: {first:?}"
        );
        let ids = try_join_all((0..60).map(|_| stack.api.place(&sent, None))).await?;
        until("a new order is told to wait for the backlog", || async {
            let reply = stack.api.post(&sent, None).await?;
            Ok((wait(&reply)? >= 40).then_some(()))
        })
        .await?;
        until("so is one that asks, without a hint", || async {
            let reply = stack.api.get(&ids[0]).await?;
            Ok((wait(&reply)? >= 40).then_some(()))
        })
        .await?;
        // One that hasn't waited long asks again soon.
        let hint = format!(
            "{}?placed_at={}",
            ids[0],
            events::Timestamp::from(std::time::SystemTime::now())
        );
        ensure!(wait(&stack.api.get(&hint).await?)? == 2);
        ids
    };
    try_join_all(ids.iter().map(|id| stack.api.settled(id))).await?;
    until(
        "a new order isn't told to wait for those that are gone",
        || async {
            let reply = stack.api.post(&sent, None).await?;
            Ok((wait(&reply)? == 2).then_some(()))
        },
    )
    .await?;
    stack.stop().await;
    Ok(())
}

async fn a_backlog_that_cannot_be_read_costs_nothing(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&["StatusRequestsPerSecond=1"]).await?;
    let sent = order(&[("e2e-nobody-has-this", 1)]);
    let _rule = stack.fault(|call| {
        let hit = call.operation == "GetQueueAttributes";
        hit.then(|| Fault::refuse(403, "AccessDeniedException", "no"))
    })?;
    for _ in 0..20 {
        let reply = stack.api.post(&sent, None).await?;
        ensure!(reply.status == 202 && wait(&reply)? == 2, "{reply:?}");
    }
    until("somebody has asked for it", || async {
        stack.api.post(&sent, None).await?;
        let faults = stack.cloud()?.faults();
        Ok((faults.count("IngestFunction", "GetQueueAttributes") > 0).then_some(()))
    })
    .await?;
    stack.stop().await;
    Ok(())
}

async fn a_client_that_follows_a_location_learns_its_outcome(stack: Arc<Stack>) -> Result<()> {
    let reply = stack
        .api
        .post(&order(&[("e2e-nobody-has-this", 1)]), None)
        .await?;
    let location = reply.header("location").context("no location")?.to_owned();
    ensure!(location.contains("?placed_at="), "{location}");
    until("it has its outcome", || async {
        let reply = stack
            .api
            .send(Method::GET, &format!("/{location}"), &[], "")
            .await?;
        ensure!(reply.status == 200, "{reply:?}");
        ensure!(
            reply.header("retry-after").is_some() == (reply.json()?["status"] == "queued"),
            "{reply:?}"
        );
        Ok((reply.json()?["status"] == "rejected").then_some(()))
    })
    .await
}

/// The results of a request for these ids.
async fn told(stack: &Stack, ids: &[String]) -> Result<(Vec<Value>, Reply)> {
    let reply = stack
        .api
        .send(
            Method::GET,
            &format!("/orders?ids={}", ids.join(",")),
            &[],
            "",
        )
        .await?;
    ensure!(reply.status == 200, "{reply:?}");
    let results = reply.json()?["results"]
        .as_array()
        .context("no results")?
        .clone();
    Ok((results, reply))
}

async fn a_hundred_orders_of_every_status_are_told_in_one_request(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let sent = |quantity| order(&[(&sku, quantity)]);
    let good =
        try_join_all((0..60).map(|_| async { stack.api.place(&sent(1), None).await })).await?;
    let bad = stack
        .api
        .place(&order(&[("e2e-nobody-has-this", 1)]), None)
        .await?;
    let much = stack.api.place(&sent(1_000_000), None).await?;
    let foreign = stack
        .api
        .with_key(Some("another client"))
        .place(&sent(1), None)
        .await?;
    for id in good.iter().chain([&bad, &much]) {
        stack.api.settled(id).await?;
    }
    let unknown = "00000000-0000-8000-8000-000000000000".to_owned();
    let mut ids = vec![bad.clone(), foreign.clone(), unknown.clone(), much.clone()];
    ids.extend(good.iter().cloned());
    ids.extend((1..35).map(|n| format!("0000{n:04}-0000-8000-8000-000000000000")));
    ids.push(bad.clone());
    ids.push(good[0].clone());
    let (results, reply) = told(&stack, &ids).await?;
    ensure!(results.len() == 98, "{reply:?}");
    for (result, id) in results.iter().zip(&ids) {
        ensure!(result["id"] == **id, "{result}");
        let is_known = *id == bad || *id == much || good.contains(id);
        ensure!((result["status"] == 404) != is_known, "{result}");
    }
    ensure!(
        results[0]["status"] == "rejected" && results[0]["reason"] == "unknown_article",
        "{}",
        results[0]
    );
    ensure!(results[3]["reason"] == "out_of_stock", "{}", results[3]);
    ensure!(
        results[4..64]
            .iter()
            .all(|result| result["status"] == "confirmed" && result["total"] == 250)
    );
    ensure!(reply.header("retry-after").is_none(), "{reply:?}");
    Ok(())
}

async fn the_location_of_a_batch_request_tells_all_its_orders(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let entry = |n: u64| json!({"order": order(&[(&sku, n)]), "idempotency_key": new_key()});
    let entries: Vec<_> = (0..100).map(|n| entry(n.min(1))).collect(); // The first has no piece, and is refused.
    let reply = stack.api.post_batch(&entries).await?;
    ensure!(reply.status == 202, "{reply:?}");
    let location = reply.header("location").context("no location")?;
    let query = location
        .strip_prefix("../orders?")
        .context("no query")?
        .to_owned();
    until("all have their outcome", || async {
        let reply = stack
            .api
            .send(Method::GET, &format!("/orders?{query}"), &[], "")
            .await?;
        ensure!(reply.status == 200, "{reply:?}");
        let results = reply.json()?["results"]
            .as_array()
            .context("no results")?
            .clone();
        ensure!(results.len() == 99, "{}", results.len());
        let waits = results.iter().any(|result| result["status"] == "queued");
        ensure!(reply.header("retry-after").is_some() == waits, "{reply:?}");
        Ok((!waits).then_some(()))
    })
    .await?;
    ensure!(stack.aws()?.in_stock(&sku).await? == 901);
    Ok(())
}

async fn a_request_for_no_order_or_too_many_is_refused(stack: Arc<Stack>) -> Result<()> {
    let ids = |count: u64| -> Vec<_> {
        (0..count)
            .map(|n| format!("0000{n:04}-0000-8000-8000-000000000000"))
            .collect()
    };
    for query in [
        "",
        "?ids=",
        "?ids=,",
        "?ID=1",
        &format!("?ids={}", ids(101).join(",")),
    ] {
        let reply = stack
            .api
            .send(Method::GET, &format!("/orders{query}"), &[], "")
            .await?;
        reply.problem(422)?;
    }
    let (results, _) = told(&stack, &ids(100)).await?;
    ensure!(results.len() == 100 && results.iter().all(|result| result["status"] == 404));
    Ok(())
}
