//! No text causes a panic where the conversion of an event parses one.

use crate::{
    faked::{http, invoke, read, rest},
    odd_events::answer,
};
use anyhow::Result;
use ingest::request::body;
use lambda_http::{Body, Response};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::future::ready;
use tokio::runtime::Builder;

/// Returns a REST API's and an HTTP API's event with these texts wherever the conversion parses one.
fn events(text: &str, other: &str, is_base64: bool) -> [Value; 2] {
    let context =
        json!({"stage": other, "domainName": text, "http": {"method": "POST", "path": text}});
    let members = json!({"body": other, "isBase64Encoded": is_base64, "requestContext": context,
        "headers": {text: other, "host": text, "Host": other, "x-forwarded-proto": text, "idempotency-key": other},
        "rawQueryString": other, "queryStringParameters": {text: other}});
    let (mut rest, mut http) = (rest(members.clone()), http(members));
    (rest["path"], rest["resource"]) = (json!(text), json!(other));
    http["rawPath"] = json!(text);
    [rest, http]
}

#[test]
fn no_text_causes_a_panic() -> Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let text = || prop_oneof![any::<String>(), r"[/:@%\[\] ?#a]{0,12}"];
    let input = (text(), text(), any::<bool>());
    let checked = TestRunner::default().run(&input, |(text, other, is_base64)| {
        for event in events(&text, &other, is_base64) {
            let handler = |request| {
                if !is_base64 {
                    assert_eq!(body(&request), Some(other.as_bytes()));
                }
                ready(Response::new(Body::from("{}")))
            };
            let read = read(&event).expect("it is a gateway's event");
            let status = runtime.block_on(invoke(handler, read));
            prop_assert_eq!(status.map(|answer| answer.status).ok(), Some(200));
            let answer = runtime.block_on(answer(&event));
            let status = answer.map(|answer| answer.status).unwrap_or_default();
            prop_assert!((400..500).contains(&status), "{} for {}", status, event);
        }
        Ok(())
    });
    checked.map_err(|error| anyhow::anyhow!("{error}"))
}
