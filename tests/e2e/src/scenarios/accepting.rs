//! An order's path from its request to its outcome, as its client sees it.

use crate::{
    orders::{UNKNOWN, new_key, order, shows},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{Order, Outcome, order::kit};
use futures_util::future::try_join_all;
use http::Method;
use local::faults::{Crash, Injection, Kind};
use serde_json::json;
use std::sync::Arc;

scenarios! {
    an_accepted_order_gets_an_outcome []
    an_order_is_confirmed_with_its_summary_and_its_claims [Tables]
    the_answer_says_where_the_order_is []
    an_accepted_order_is_never_unknown []
    a_status_is_read_consistently [Faults]
    a_message_has_its_clients_group_and_its_requests_trace [Clients Tables Faults]
    a_requests_trace_reaches_its_worker [Faults]
    an_id_that_was_never_issued_is_unknown []
    an_id_that_was_issued_to_another_client_is_unknown [Clients]
    an_order_can_be_placed_and_read_through_http_apis_too [Invoke]
}

async fn an_accepted_order_gets_an_outcome(stack: Arc<Stack>) -> Result<()> {
    // The key has no row, so the scenario needs only the API.
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    let settled = stack.api.settled(&id).await?;
    ensure!(shows(&settled, Outcome::MISSING), "{settled}");
    Ok(())
}

async fn an_order_is_confirmed_with_its_summary_and_its_claims(stack: Arc<Stack>) -> Result<()> {
    let (cup, spoon) = (stack.article(10).await?, stack.article(10).await?);
    let sent = kit::tagged(order(&[(&cup, 2), (&spoon, 3), (&cup, 1)]), kit::ODD_TAG);
    let id = stack.api.place(&sent, None).await?;
    let settled = stack.api.settled(&id).await?;
    ensure!(
        settled["status"] == "confirmed" && settled["id"] == id.as_str(),
        "{settled}"
    );
    let order: Order = serde_json::from_value(sent.clone())?;
    let summary = json!(order.summary());
    let mut summary = summary.as_object().into_iter().flatten();
    ensure!(
        settled["order"] == sent && summary.all(|(name, value)| settled[name] == *value),
        "{settled}"
    );
    let time = |member: &str| -> Result<events::Timestamp> {
        Ok(settled[member].as_str().context("no time")?.parse()?)
    };
    ensure!(time("placed_at")? <= time("processed_at")?, "{settled}");
    for hidden in ["client", "fingerprint", "reason"] {
        ensure!(settled.get(hidden).is_none(), "{settled}");
    }
    let claims = order.claims();
    for key in [&cup, &spoon] {
        let claimed = claims.get(&**key).copied().unwrap_or_default();
        ensure!(stack.aws()?.in_stock(key).await? == 10 - claimed, "{key}");
    }
    Ok(())
}

async fn the_answer_says_where_the_order_is(stack: Arc<Stack>) -> Result<()> {
    let reply = stack.api.post(&order(&[(UNKNOWN, 1)]), None).await?;
    let body = reply.json()?;
    let id = body["id"].as_str().context("no id")?;
    ensure!(
        reply.status == 202 && body == json!({"id": id, "status": "queued"}),
        "{reply:?}"
    );
    let location = reply.header("location").unwrap_or_default();
    ensure!(
        location.starts_with(&format!("orders/{id}?placed_at=")),
        "{reply:?}"
    );
    let wait: u64 = reply.header("retry-after").context("no wait")?.parse()?;
    ensure!((2..=300).contains(&wait), "{reply:?}");
    ensure!(
        reply.header("content-type") == Some("application/json"),
        "{reply:?}"
    );
    // Relative to `POST /v1/orders`, the location is `/v1/orders/{id}`.
    stack.api.settled(id).await?;
    let head = stack
        .api
        .send(Method::HEAD, &format!("/orders/{id}"), &[], "")
        .await?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    Ok(())
}

async fn an_accepted_order_is_never_unknown(stack: Arc<Stack>) -> Result<()> {
    let sent = order(&[(UNKNOWN, 1)]);
    let one = || async {
        let id = stack.api.place(&sent, Some(&new_key())).await?;
        // On a machine that is too busy the table may not answer in time; a client retries then.
        let reply = until("the order can be read", || async {
            let reply = stack.api.get(&id).await?;
            Ok(Some(reply).filter(|reply| reply.status != 503))
        })
        .await?;
        ensure!(reply.status == 200, "{reply:?}");
        if reply.json()?["status"] == "queued" {
            ensure!(reply.header("retry-after").is_some(), "{reply:?}");
            ensure!(
                reply.json()? == json!({"id": id, "status": "queued"}),
                "{reply:?}"
            );
        }
        stack.api.settled(&id).await
    };
    try_join_all((0..20).map(|_| one())).await?;
    Ok(())
}

async fn a_status_is_read_consistently(stack: Arc<Stack>) -> Result<()> {
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    let calls = stack.record(&[&id])?;
    stack.api.settled(&id).await?;
    let reads = calls.by("StatusFunction");
    ensure!(!reads.is_empty());
    for read in reads {
        ensure!(
            read.operation == "GetItem" && read.request["ConsistentRead"] == true,
            "{read:?}"
        );
    }
    Ok(())
}

async fn a_message_has_its_clients_group_and_its_requests_trace(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let calls = stack.record(&[&sku])?;
    let other = stack.api.with_key(Some("another client"));
    for api in [&stack.api, &stack.api, &other] {
        let id = api.place(&order(&[(&sku, 1)]), None).await?;
        api.settled(&id).await?;
    }
    let sent = calls.of("SendMessage");
    let group = |n: usize| sent[n].request["MessageGroupId"].as_str().context("none");
    ensure!(sent.len() == 3, "{sent:?}");
    ensure!(group(0)? == group(1)? && group(0)? != group(2)?, "{sent:?}");
    for sent in &sent {
        // The gateway's trace, passed on: it then covers the queue, `process` and the tables too.
        let trace = &sent.request["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"];
        ensure!(
            trace
                .as_str()
                .is_some_and(|root| root.starts_with("Root=1-")),
            "{sent:?}"
        );
    }
    Ok(())
}

/// Uses a stack of its own, with a short visibility timeout, so that the batch that meets the fault is redelivered soon.
async fn a_requests_trace_reaches_its_worker(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&["ProcessTimeoutSeconds=6", "VisibilityTimeoutSeconds=7"]).await?;
    let (faults, sku) = (stack.cloud()?.faults(), stack.article(10).await?);
    let calls = stack.record(&[&sku])?;
    let root = format!("Root=1-5759e988-{:024x}", fastrand::u64(..));
    let given = format!("{root};Parent=53995c3f42cd8ad8;Sampled=1");
    // Only an invocation whose event has the trace meets the fault.
    let seen = Injection {
        function: Some("ProcessFunction".to_owned()),
        containing: Some(given.clone()),
        times: Some(1),
        ..Injection::new(Kind::Function(Crash::Garbage))
    };
    let _rule = faults.inject(seen, 1);
    let headers = [
        ("content-type", "application/json"),
        ("x-amzn-trace-id", &given),
    ];
    let body = order(&[(&sku, 1)]).to_string();
    let reply = stack.api.send(Method::POST, "/orders", &headers, body);
    let reply = reply.await?;
    ensure!(reply.status == 202, "{reply:?}");
    ensure!(reply.header("x-amzn-trace-id") == Some(&given), "{reply:?}");
    let sent = calls.of("SendMessage");
    let trace = &sent[0].request["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"];
    ensure!(*trace == given, "{trace}");
    until("a worker has got the trace", || async {
        Ok((faults.tally().counts().values().sum::<u64>() == 1).then_some(()))
    })
    .await?;
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn an_id_that_was_never_issued_is_unknown(stack: Arc<Stack>) -> Result<()> {
    let foreign = crate::orders::new_id()?.to_string();
    for id in [&foreign, "0", "a b", "%00", "..", "{id}", &"x".repeat(2000)] {
        let escaped = id
            .replace(' ', "%20")
            .replace('{', "%7B")
            .replace('}', "%7D");
        stack.api.get(&escaped).await?.problem(404)?;
    }
    Ok(())
}

async fn an_id_that_was_issued_to_another_client_is_unknown(stack: Arc<Stack>) -> Result<()> {
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    stack
        .api
        .with_key(Some("another client"))
        .get(&id)
        .await?
        .problem(404)?;
    stack.api.with_key(None).get(&id).await?.problem(404)?;
    stack.api.settled(&id).await?;
    Ok(())
}

async fn an_order_can_be_placed_and_read_through_http_apis_too(stack: Arc<Stack>) -> Result<()> {
    let event = |method: &str, path: &str, body: &str| {
        json!({
            "version": "2.0", "rawPath": path, "headers": {"content-type": "application/json"}, "body": body,
            "requestContext": {"http": {"method": method, "path": path}, "authorizer": {"jwt": {"claims": {"sub": "e2e"}}}},
        })
    };
    let aws = stack.aws()?;
    let body = order(&[(UNKNOWN, 1)]).to_string();
    let answer = aws
        .invoke(&aws.names.ingest, &event("POST", "/v1/orders", &body))
        .await?;
    ensure!(answer["statusCode"] == 202, "{answer}");
    let location = answer["headers"]["location"]
        .as_str()
        .context("no location")?;
    let (path, _) = location.split_once('?').context("no hint")?;
    let found = aws
        .invoke(&aws.names.status, &event("GET", &format!("/v1/{path}"), ""))
        .await?;
    ensure!(found["statusCode"] == 200, "{found}");
    Ok(())
}
