//! The bytes of a request as they arrive, and the headers of every answer.

use crate::{
    orders::{UNKNOWN, new_key, order},
    reply::Reply,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::order::kit;
use http::Method;
use std::{collections::BTreeSet, fmt::Write, sync::Arc};

scenarios! {
    bytes_that_are_not_utf_8_are_refused []
    a_body_that_arrives_encoded_is_refused []
    an_order_may_come_as_other_serialisers_write_it []
    no_answer_may_be_cached []
    no_answer_of_the_gateway_may_be_cached [GatewayResponses]
}

const JSON: (&str, &str) = ("content-type", "application/json");

async fn bytes_that_are_not_utf_8_are_refused(stack: Arc<Stack>) -> Result<()> {
    let sent = kit::tagged(order(&[(UNKNOWN, 1)]), "M?ller");
    let bytes = sent.to_string().into_bytes();
    let latin_1: Vec<_> = bytes
        .iter()
        .map(|&byte| if byte == b'?' { 0xfc } else { byte })
        .collect();
    let reply = stack
        .api
        .send(Method::POST, "/orders", &[JSON], latin_1)
        .await?;
    // A gateway that passes the bytes on, as HTTP APIs and Function URLs do, returns 400. A REST API without binary media
    // types has replaced them, so the function sees U+FFFD in their place.
    if reply.status == 400 {
        reply.problem(400)?;
        return Ok(());
    }
    let problem = reply.problem(422)?;
    let detail = problem["errors"][0]["detail"].as_str();
    ensure!(detail.is_some_and(|it| it.contains("UTF-8")), "{problem}");
    Ok(())
}

async fn a_body_that_arrives_encoded_is_refused(stack: Arc<Stack>) -> Result<()> {
    // An empty gzip stream.
    let bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0".to_vec();
    let headers = [JSON, ("content-encoding", "gzip")];
    let reply = stack
        .api
        .send(Method::POST, "/orders", &headers, bytes)
        .await?;
    // LocalStack has decoded it, so the function sees an empty body.
    if reply.status == 400 && !stack.is_local() {
        return Ok(());
    }
    reply.problem(415)?;
    ensure!(
        reply.header("accept-encoding") == Some("identity"),
        "{reply:?}"
    );
    Ok(())
}

async fn an_order_may_come_as_other_serialisers_write_it(stack: Arc<Stack>) -> Result<()> {
    let sent = order(&[(UNKNOWN, 1)]);
    let plain = sent.to_string();
    let key = new_key();
    let mut ids = BTreeSet::new();
    for sent in [
        plain.clone(),
        format!("\u{feff}{plain}"),
        serde_json::to_string_pretty(&sent)?,
        escaped(&plain),
    ] {
        let headers = [JSON, ("idempotency-key", &*key)];
        let reply = stack
            .api
            .send(Method::POST, "/orders", &headers, sent)
            .await?;
        ensure!(reply.status == 202, "{reply:?}");
        ids.insert(reply.json()?["id"].to_string());
    }
    ensure!(ids.len() == 1, "{ids:?}");
    Ok(())
}

/// Writes the first letter of each string as an escape.
fn escaped(document: &str) -> String {
    let mut escaped = String::new();
    let mut is_first = false;
    for letter in document.chars() {
        if is_first && letter.is_ascii_alphabetic() {
            write!(escaped, "\\u{:04x}", u32::from(letter)).expect("memory suffices");
        } else {
            escaped.push(letter);
        }
        is_first = letter == '"';
    }
    escaped
}

async fn no_answer_may_be_cached(stack: Arc<Stack>) -> Result<()> {
    let api = &stack.api;
    let sent = order(&[(UNKNOWN, 1)]);
    let placed = api.post(&sent, None).await?;
    let id = placed.json()?["id"].as_str().context("no id")?.to_owned();
    let refused = api.send(Method::POST, "/orders", &[JSON], "{}").await?;
    let unknown = api.get("00000000-0000-8000-8000-000000000000").await?;
    for reply in [placed, api.get(&id).await?, refused, unknown] {
        ensure!(is_uncached(&reply), "{reply:?}");
    }
    Ok(())
}

async fn no_answer_of_the_gateway_may_be_cached(stack: Arc<Stack>) -> Result<()> {
    let reply = stack.api.send(Method::GET, "/nothing", &[], "").await?;
    ensure!(reply.status == 404 && is_uncached(&reply), "{reply:?}");
    Ok(())
}

fn is_uncached(reply: &Reply) -> bool {
    reply.header("cache-control") == Some("no-store")
        && reply.header("x-content-type-options") == Some("nosniff")
}
