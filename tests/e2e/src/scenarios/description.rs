//! The API's description, which the API serves, and against which every scenario checks its answers.

use crate::{
    description::{Sent, check},
    orders::{UNKNOWN, order},
    reply::Reply,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::sync::Arc;

scenarios! {
    the_api_describes_itself_to_any_caller []
    an_answer_that_is_not_described_is_seen []
}

async fn the_api_describes_itself_to_any_caller(stack: Arc<Stack>) -> Result<()> {
    let stranger = stack.api.with_key(None);
    let send = async |method| stranger.send(method, "/openapi.json", &[], "").await;
    let found = send(Method::GET).await?;
    ensure!(found.status == 200, "{found:?}");
    ensure!(found.header("content-type") == Some("application/json"));
    let document = found.json()?;
    let paths = document["paths"].as_object().context("no paths")?;
    ensure!(paths.contains_key("/openapi.json"), "{document}");
    ensure!(found.body == events::openapi::JSON, "another document");
    let head = send(Method::HEAD).await?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    for other in [Method::POST, Method::PUT, Method::DELETE] {
        // Sends a key: AWS admits no other request.
        let refused = stack.api.send(other, "/openapi.json", &[], "").await?;
        refused.problem(405)?;
        ensure!(refused.header("allow") == Some("GET, HEAD"), "{refused:?}");
    }
    Ok(())
}

type Change = fn(&mut Reply);

/// Shows that the check that every other scenario relies on can fail.
async fn an_answer_that_is_not_described_is_seen(stack: Arc<Stack>) -> Result<()> {
    let (good, bad) = (order(&[(UNKNOWN, 1)]), order(&[]));
    let (good, bad) = (good.to_string(), bad.to_string());
    let accepted = async || {
        let json = ("content-type", "application/json");
        let api = &stack.api;
        api.send(Method::POST, "/orders", &[json], good.clone())
            .await
    };
    let sees = |path, body: &str, reply: &Reply| {
        let sent = Sent {
            method: &Method::POST,
            path,
            headers: &HeaderMap::new(),
            body: body.as_bytes(),
        };
        check(&sent, reply).is_err()
    };
    ensure!(!sees("/orders", &good, &accepted().await?));
    ensure!(!sees("/orders/", &good, &accepted().await?));
    ensure!(sees("/orders", &bad, &accepted().await?), "a bad order");
    ensure!(sees("/orders/batch", &good, &accepted().await?), "a batch");
    ensure!(sees("/nothing", &good, &accepted().await?), "a path");
    ensure!(sees("/orders/1", &good, &accepted().await?), "a method");
    let changes: [(&str, Change); 6] = [
        ("status", |reply| reply.status = StatusCode::CREATED),
        ("body", |reply| reply.body = "{\"id\":7}".into()),
        ("no wait", |reply| drop(reply.headers.remove("retry-after"))),
        ("wait", |reply| {
            reply.headers.insert("retry-after", HeaderValue::from(1));
        }),
        ("caches", |reply| {
            drop(reply.headers.remove("cache-control"));
        }),
        ("type", |reply| {
            let html = HeaderValue::from_static("text/html");
            reply.headers.insert("content-type", html);
        }),
    ];
    for (name, change) in changes {
        let mut reply = accepted().await?;
        change(&mut reply);
        ensure!(sees("/orders", &good, &reply), "{name}: {reply:?}");
    }
    Ok(())
}
