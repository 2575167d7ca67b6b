//! Every kind of bad request returns its problem, and none a 5xx.

use crate::{
    api::Api,
    orders::{UNKNOWN, order},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::order::kit;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

scenarios! {
    what_is_not_json_is_400 []
    every_violation_of_an_order_is_named []
    an_idempotency_key_is_judged []
    a_fingerprint_is_judged []
    an_anonymous_client_has_no_idempotency_keys [Clients]
    an_unknown_path_is_404 [GatewayResponses]
    another_method_is_405_and_says_which_are_allowed []
    a_body_that_is_too_large_is_413 []
    another_content_type_is_415 []
    bad_base64_is_400 [Invoke]
}

const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(api: &Api, body: impl Into<bytes::Bytes>) -> Result<crate::reply::Reply> {
    api.send(Method::POST, "/orders", &[JSON], body).await
}

async fn what_is_not_json_is_400(stack: Arc<Stack>) -> Result<()> {
    for body in [&b""[..], b" ", b"{", b"{'a':1}", b"{}{}", b"[01]", b"\xe4"] {
        let problem = post(&stack.api, body.to_vec()).await?.problem(400)?;
        ensure!(
            problem["type"] == "about:blank" && problem.get("errors").is_none(),
            "{problem}"
        );
    }
    Ok(())
}

/// Returns the pointers of the violations for which the body is refused.
async fn violations(api: &Api, body: &str) -> Result<Vec<String>> {
    let problem = post(api, body.to_owned()).await?.problem(422)?;
    ensure!(problem["type"] == "invalid-order", "{problem}");
    let pointer = |violation: &Value| {
        let detail = violation["detail"]
            .as_str()
            .filter(|detail| !detail.is_empty());
        detail
            .and(violation["pointer"].as_str())
            .map(str::to_owned)
            .with_context(|| violation.to_string())
    };
    problem["errors"]
        .as_array()
        .context("no errors")?
        .iter()
        .map(pointer)
        .collect()
}

async fn every_violation_of_an_order_is_named(stack: Arc<Stack>) -> Result<()> {
    for (body, expected) in kit::invalid() {
        let found = violations(&stack.api, &body).await?;
        ensure!(found == expected, "{body} has {found:?}");
    }
    Ok(())
}

async fn an_idempotency_key_is_judged(stack: Arc<Stack>) -> Result<()> {
    let sent = order(&[(UNKNOWN, 1)]);
    for key in ["", "a b", "ä", "a,b", "a,", &"k".repeat(256)] {
        let problem = stack.api.post(&sent, Some(key)).await?.problem(422)?;
        ensure!(problem["type"] == "invalid-idempotency-key", "{problem}");
    }
    for name in ["x-idempotency-key", "idempotencykey"] {
        let headers = [("content-type", "application/json"), (name, "k")];
        let body = sent.to_string();
        let reply = stack
            .api
            .send(Method::POST, "/orders", &headers, body)
            .await?;
        let problem = reply.problem(422)?;
        ensure!(problem["type"] == "invalid-idempotency-key", "{problem}");
    }
    Ok(())
}

async fn a_fingerprint_is_judged(stack: Arc<Stack>) -> Result<()> {
    let id = stack.api.place(&order(&[(UNKNOWN, 1)]), None).await?;
    stack.api.settled(&id).await?;
    for fingerprint in ["", "1f3a9c0", "1f3a9c0g", "1f3a9c02%2C1f3a9c02"] {
        let reply = stack
            .api
            .get(&format!("{id}?fingerprint={fingerprint}"))
            .await?;
        reply.problem(422)?;
    }
    stack
        .api
        .get(&format!("{id}?fingerprint=00000000"))
        .await?
        .problem(409)?;
    Ok(())
}

async fn an_anonymous_client_has_no_idempotency_keys(stack: Arc<Stack>) -> Result<()> {
    let anonymous = stack.api.with_key(None);
    let sent = order(&[(UNKNOWN, 1)]);
    let problem = anonymous.post(&sent, Some("k")).await?.problem(422)?;
    ensure!(problem["type"] == "invalid-idempotency-key", "{problem}");
    let id = anonymous.place(&sent, None).await?;
    anonymous.settled(&id).await?;
    Ok(())
}

async fn an_unknown_path_is_404(stack: Arc<Stack>) -> Result<()> {
    for path in ["/order", "/orders/a/b", "/"] {
        stack
            .api
            .send(Method::GET, path, &[], "")
            .await?
            .problem(404)?;
    }
    Ok(())
}

async fn another_method_is_405_and_says_which_are_allowed(stack: Arc<Stack>) -> Result<()> {
    for (method, path, allowed) in [
        (Method::PUT, "/orders", "GET, HEAD, POST"),
        (Method::DELETE, "/orders", "GET, HEAD, POST"),
        (Method::GET, "/orders/batch", "POST"),
        (Method::POST, "/orders/1", "GET, HEAD"),
        (Method::PUT, "/orders/1", "GET, HEAD"),
    ] {
        let reply = stack.api.send(method, path, &[], "").await?;
        reply.problem(405)?;
        ensure!(reply.header("allow") == Some(allowed), "{reply:?}");
    }
    Ok(())
}

async fn a_body_that_is_too_large_is_413(stack: Arc<Stack>) -> Result<()> {
    let padded = |bytes: usize| {
        let order = order(&[(UNKNOWN, 1)]).to_string();
        order + &" ".repeat(bytes.saturating_sub(117))
    };
    let just = padded(0);
    let just = just.clone() + &" ".repeat(128 * 1024 - just.len());
    let reply = post(&stack.api, just.clone()).await?;
    ensure!(reply.status == 202, "{reply:?}");
    stack
        .api
        .settled(reply.json()?["id"].as_str().context("no id")?)
        .await?;
    post(&stack.api, just + " ").await?.problem(413)?;
    // Ten megabytes never reach a function: the gateway refuses them, possibly before all of them are sent.
    match post(&stack.api, padded(10 * 1024 * 1024 + 1)).await {
        Ok(reply) => reply.problem(413).map(|_| ()),
        Err(error) => Err(error.context("no answer to 10 MB")),
    }
}

async fn another_content_type_is_415(stack: Arc<Stack>) -> Result<()> {
    let body = order(&[(UNKNOWN, 1)]).to_string();
    let send = |content_type: &'static str| {
        let headers = [("content-type", content_type)];
        let (api, body) = (stack.api.clone(), body.clone());
        async move { api.send(Method::POST, "/orders", &headers, body).await }
    };
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
    ] {
        send(content_type).await?.problem(415)?;
    }
    stack
        .api
        .send(Method::POST, "/orders", &[], body.clone())
        .await?
        .problem(415)?;
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        let reply = send(content_type).await?;
        ensure!(reply.status == 202, "{content_type}: {reply:?}");
        stack
            .api
            .settled(reply.json()?["id"].as_str().context("no id")?)
            .await?;
    }
    Ok(())
}

async fn bad_base64_is_400(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    for body in ["not base64!", "e30", "{}"] {
        let event = json!({
            "httpMethod": "POST", "path": "/orders", "headers": {"Content-Type": "application/json"},
            "requestContext": {"httpMethod": "POST", "identity": {}}, "isBase64Encoded": true, "body": body,
        });
        let answer = aws.invoke(&aws.names.ingest, &event).await?;
        ensure!(answer["statusCode"] == 400, "{answer}");
    }
    Ok(())
}
