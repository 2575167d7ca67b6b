//! Many orders in one request.

use crate::{
    orders::{UNKNOWN, new_key, order},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::Method;
use local::faults::{Fault, Rule};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

scenarios! {
    each_order_of_a_batch_is_answered_on_its_own [Tables]
    a_batch_of_nothing_but_bad_orders_is_a_problem []
    a_hundred_orders_are_settled [Tables]
    the_same_key_twice_in_a_batch_takes_effect_once [Tables]
    a_retry_of_a_batch_that_was_half_good_doubles_nothing [Tables]
    a_retry_of_a_batch_that_sqs_half_refused_doubles_nothing [Tables Faults]
    what_sqs_refuses_once_its_client_never_sees [Tables Faults]
    what_is_wrong_with_a_batch_is_a_problem_as_a_whole []
    a_batch_is_open_to_http_apis_too [Invoke]
}

/// An order with a key.
fn entry(order: &Value, key: &str) -> Value {
    json!({"order": order, "idempotency_key": key})
}

/// The statuses of results.
fn statuses(results: &[Value]) -> Vec<u64> {
    let statuses = results.iter().map(|result| result["status"].as_u64());
    statuses.map(Option::unwrap_or_default).collect()
}

/// Waits until the accepted orders are confirmed, and returns their ids.
async fn confirmed(stack: &Stack, results: &[Value]) -> Result<BTreeSet<String>> {
    let accepted = results.iter().filter(|result| result["status"] == 202);
    let ids = accepted.map(|result| async {
        let id = result["id"].as_str().context("no id")?;
        let settled = stack.api.settled(id).await?;
        ensure!(settled["status"] == "confirmed", "{settled}");
        Ok(id.to_owned())
    });
    Ok(try_join_all(ids).await?.into_iter().collect())
}

async fn each_order_of_a_batch_is_answered_on_its_own(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let good = || entry(&order(&[(&sku, 1)]), &new_key());
    let entries = [
        good(),
        entry(&order(&[("a b", 1)]), &new_key()),
        good(),
        entry(&order(&[(&sku, 1)]), "two words"),
        json!({"ordr": order(&[(&sku, 1)])}),
        good(),
    ];
    let results = stack.api.place_batch(&entries).await?;
    ensure!(
        statuses(&results) == [202, 422, 202, 422, 422, 202],
        "{results:?}"
    );
    let pointer = results[1]["errors"][0]["pointer"].as_str();
    let is_inside = |pointer: &str| pointer.starts_with("/orders/1/order/");
    ensure!(pointer.is_some_and(is_inside), "{results:?}");
    ensure!(
        results[3]["type"] == "invalid-idempotency-key",
        "{results:?}"
    );
    ensure!(confirmed(&stack, &results).await?.len() == 3);
    ensure!(stack.aws()?.in_stock(&sku).await? == 7);
    Ok(())
}

async fn a_batch_of_nothing_but_bad_orders_is_a_problem(stack: Arc<Stack>) -> Result<()> {
    let bad = json!({"order": order(&[])});
    let reply = stack.api.post_batch(&[bad.clone(), json!(1), bad]).await?;
    reply.problem(422)?;
    ensure!(statuses(&reply.results()?) == [422; 3], "{reply:?}");
    Ok(())
}

async fn a_hundred_orders_are_settled(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1000).await?;
    let one = order(&[(&sku, 2)]);
    let entries: Vec<_> = (0..100).map(|_| entry(&one, &new_key())).collect();
    let results = stack.api.place_batch(&entries).await?;
    ensure!(statuses(&results) == [202; 100], "{results:?}");
    ensure!(confirmed(&stack, &results).await?.len() == 100);
    ensure!(stack.aws()?.in_stock(&sku).await? == 800);
    Ok(())
}

async fn the_same_key_twice_in_a_batch_takes_effect_once(stack: Arc<Stack>) -> Result<()> {
    let (sku, key) = (stack.article(10).await?, new_key());
    let same = entry(&order(&[(&sku, 1)]), &key);
    let results = stack.api.place_batch(&[same.clone(), same]).await?;
    ensure!(statuses(&results) == [202, 202], "{results:?}");
    ensure!(confirmed(&stack, &results).await?.len() == 1);
    ensure!(stack.aws()?.in_stock(&sku).await? == 9);
    Ok(())
}

async fn a_retry_of_a_batch_that_was_half_good_doubles_nothing(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let keys: Vec<_> = (0..4).map(|_| new_key()).collect();
    let (good, bad) = (order(&[(&sku, 1)]), order(&[(&sku, 0)]));
    let batch = |second: &Value| {
        let orders = keys.iter().zip([&good, second, &good, second]);
        orders
            .map(|(key, order)| entry(order, key))
            .collect::<Vec<_>>()
    };
    let first = stack.api.place_batch(&batch(&bad)).await?;
    ensure!(statuses(&first) == [202, 422, 202, 422], "{first:?}");
    let second = stack.api.place_batch(&batch(&good)).await?;
    ensure!(statuses(&second) == [202; 4], "{second:?}");
    ensure!((&first[0], &first[2]) == (&second[0], &second[2]));
    ensure!(confirmed(&stack, &second).await?.len() == 4);
    ensure!(stack.aws()?.in_stock(&sku).await? == 6);
    Ok(())
}

/// Makes SQS refuse the orders for this article, with an error code or by leaving them out of its answer, while `while_it`
/// allows it.
fn refuse<'a>(
    stack: &'a Stack,
    sku: &str,
    code: Option<&'static str>,
    while_it: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<Rule<'a>> {
    let sku = sku.to_owned();
    stack.fault(move |call| {
        if call.operation != "SendMessageBatch" || !call.contains(&sku) || !while_it() {
            return None;
        }
        let request: Value = serde_json::from_slice(call.body).ok()?;
        let is_hit = |entry: &&Value| entry["MessageBody"].to_string().contains(&sku);
        let hit = request["Entries"].as_array()?.iter().filter(is_hit);
        let entries = hit.filter_map(|entry| Some(entry["Id"].as_str()?.to_owned()));
        Some(Fault::Partial {
            entries: entries.collect(),
            code: code.map(str::to_owned),
        })
    })
}

async fn a_retry_of_a_batch_that_sqs_half_refused_doubles_nothing(stack: Arc<Stack>) -> Result<()> {
    for code in [Some("InternalError"), None] {
        let (sku, refused) = (stack.article(10).await?, stack.article(10).await?);
        let orders = [&sku, &refused].map(|sku| order(&[(sku, 1)]));
        let entries: Vec<_> = (0..12).map(|n| entry(&orders[n % 2], &new_key())).collect();
        let rule = refuse(&stack, &refused, code, || true)?;
        let first = until("all but the refused orders are accepted", || async {
            let reply = stack.api.post_batch(&entries).await?;
            ensure!(reply.status == 202, "{reply:?}");
            let results = reply.results()?;
            Ok((statuses(&results) == [202, 503].repeat(6)).then_some(results))
        })
        .await?;
        ensure!(first[1]["type"] == "queue-unavailable", "{first:?}");
        drop(rule);
        let second = stack.api.place_batch(&entries).await?;
        ensure!(statuses(&second) == [202; 12], "{second:?}");
        ensure!((0..12).step_by(2).all(|n| first[n] == second[n]));
        ensure!(confirmed(&stack, &second).await?.len() == 12);
        for sku in [sku, refused] {
            ensure!(stack.aws()?.in_stock(&sku).await? == 4);
        }
    }
    Ok(())
}

async fn what_sqs_refuses_once_its_client_never_sees(stack: Arc<Stack>) -> Result<()> {
    let (sku, refused) = (stack.article(10).await?, stack.article(10).await?);
    let calls = stack.record(&[&sku, &refused])?;
    let first = std::sync::atomic::AtomicBool::new(true);
    let once = move || first.swap(false, std::sync::atomic::Ordering::SeqCst);
    let _rule = refuse(&stack, &refused, Some("InternalError"), once)?;
    let orders = [&sku, &refused, &sku].map(|sku| json!({"order": order(&[(sku, 1)])}));
    let results = stack.api.post_batch(&orders).await?.results()?;
    ensure!(statuses(&results) == [202; 3], "{results:?}");
    ensure!(confirmed(&stack, &results).await?.len() == 3);
    ensure!(stack.aws()?.in_stock(&refused).await? == 9);
    let sent = calls.of("SendMessageBatch");
    let sent = sent
        .iter()
        .map(|call| call.request["Entries"].as_array().map(Vec::len));
    let sent: Vec<_> = sent.collect();
    ensure!(sent == [Some(3), Some(1)], "{sent:?}");
    Ok(())
}

async fn what_is_wrong_with_a_batch_is_a_problem_as_a_whole(stack: Arc<Stack>) -> Result<()> {
    let post = |headers: &'static [(&str, &str)], body: String| {
        let api = stack.api.clone();
        async move { api.send(Method::POST, "/orders/batch", headers, body).await }
    };
    let headers = &[("content-type", "application/json")];
    let good = json!({"orders": [{"order": order(&[(UNKNOWN, 1)])}]}).to_string();
    post(headers, "{".to_owned()).await?.problem(400)?;
    post(&[("content-type", "text/plain")], good.clone())
        .await?
        .problem(415)?;
    post(headers, good.replace("orders", "order"))
        .await?
        .problem(422)?;
    for count in [0, 101] {
        let reply = stack.api.post_batch(&vec![json!({}); count]).await?;
        let problem = reply.problem(422)?;
        ensure!(problem["errors"][0]["pointer"] == "/orders", "{problem}");
    }
    let padded = |bytes: usize| good.clone() + &" ".repeat(bytes - good.len());
    post(headers, padded((4 << 20) + 1)).await?.problem(413)?;
    Ok(())
}

async fn a_batch_is_open_to_http_apis_too(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    let body = json!({"orders": [{"order": order(&[(UNKNOWN, 1)])}, 1]}).to_string();
    for path in ["/v1/orders/batch", "/orders/batch"] {
        let event = json!({
            "version": "2.0", "rawPath": path, "headers": {"content-type": "application/json"}, "body": body,
            "requestContext": {"http": {"method": "POST", "path": path}},
        });
        let answer = aws.invoke(&aws.names.ingest, &event).await?;
        ensure!(answer["statusCode"] == 202, "{answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().context("no body")?)?;
        ensure!(body["accepted"] == 1, "{body}");
    }
    Ok(())
}
