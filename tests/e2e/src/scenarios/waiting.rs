//! Clients wait for outcomes: `Retry-After` says when to poll again, and one request can ask for many orders.

use crate::{
    orders::{UNKNOWN, new_key, order, shows},
    patience::until,
    reply::Reply,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use futures_util::future::try_join_all;
use http::Method;
use local::faults::Fault;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

scenarios! {
    a_wait_goes_by_the_order_s_age_and_ends_with_its_outcome [Faults]
    a_client_that_follows_a_location_learns_its_outcome []
    a_hundred_orders_of_every_status_are_read_in_one_request [Tables Clients]
    the_location_of_a_batch_request_returns_all_its_orders [Tables]
    a_request_for_no_order_or_too_many_is_refused []
}

/// Returns the seconds in `Retry-After`.
fn wait(reply: &Reply) -> Result<u64> {
    let wait = reply
        .header("retry-after")
        .with_context(|| format!("no wait: {reply:?}"))?;
    Ok(wait.parse()?)
}

async fn a_wait_goes_by_the_order_s_age_and_ends_with_its_outcome(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let part = sku.clone();
    let down = stack.fault(move |call| {
        let hit = call.operation == "TransactWriteItems" && call.contains(&part);
        hit.then(|| Fault::refuse(400, "ThrottlingException", "no"))
    })?;
    let reply = stack.api.post(&order(&[(&sku, 1)]), None).await?;
    ensure!(wait(&reply)? == 2, "{reply:?}");
    let id = reply.json()?["id"].as_str().context("no id")?.to_owned();
    let asked = stack.api.get(&id).await?;
    ensure!((2..=60).contains(&wait(&asked)?), "{asked:?}");
    // Ten minutes old, with an unknown pace: the client must poll again after some minutes.
    let then = SystemTime::now() - Duration::from_mins(10);
    let hint = format!("{id}?placed_at={}", events::Timestamp::from(then));
    let asked = stack.api.get(&hint).await?;
    ensure!((16..=385).contains(&wait(&asked)?), "{asked:?}");
    drop(down);
    let settled = stack.api.settled(&id).await?;
    ensure!(settled["status"] == "confirmed", "{settled}");
    let reply = stack.api.get(&id).await?;
    ensure!(reply.header("retry-after").is_none(), "{reply:?}");
    // The functions never read the queue's depth, which might fail or be late.
    for function in ["IngestFunction", "StatusFunction"] {
        let faults = stack.cloud()?.faults();
        ensure!(
            faults.count(function, "GetQueueAttributes") == 0,
            "{function}"
        );
    }
    Ok(())
}

async fn a_client_that_follows_a_location_learns_its_outcome(stack: Arc<Stack>) -> Result<()> {
    let reply = stack.api.post(&order(&[(UNKNOWN, 1)]), None).await?;
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

/// Reads these orders in one request.
async fn read(stack: &Stack, ids: &[String]) -> Result<(Vec<Value>, Reply)> {
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

async fn a_hundred_orders_of_every_status_are_read_in_one_request(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let sent = |quantity| order(&[(&sku, quantity)]);
    let good =
        try_join_all((0..60).map(|_| async { stack.api.place(&sent(1), None).await })).await?;
    let bad = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
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
    let (results, reply) = read(&stack, &ids).await?;
    ensure!(results.len() == 98, "{reply:?}");
    for (result, id) in results.iter().zip(&ids) {
        ensure!(result["id"] == **id, "{result}");
        let is_known = *id == bad || *id == much || good.contains(id);
        ensure!((result["status"] == 404) != is_known, "{result}");
    }
    ensure!(shows(&results[0], Outcome::MISSING), "{}", results[0]);
    ensure!(shows(&results[3], Outcome::TOO_LITTLE), "{}", results[3]);
    ensure!(
        results[4..64]
            .iter()
            .all(|result| shows(result, Outcome::Confirmed))
    );
    ensure!(reply.header("retry-after").is_none(), "{reply:?}");
    Ok(())
}

async fn the_location_of_a_batch_request_returns_all_its_orders(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let entry = |n: u64| json!({"order": order(&[(&sku, n)]), "idempotency_key": new_key()});
    let entries: Vec<_> = (0..100).map(|n| entry(n.min(1))).collect(); // The first orders no piece, and is refused.
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
    let (results, _) = read(&stack, &ids(100)).await?;
    ensure!(results.len() == 100 && results.iter().all(|result| result["status"] == 404));
    Ok(())
}
