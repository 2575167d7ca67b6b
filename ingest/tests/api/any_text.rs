//! Whatever text stands where the conversion of an event parses one, nothing panics.

use crate::{
    faked::{http, invoke, rest},
    odd_events::answer,
};
use anyhow::Result;
use ingest::{gateway::Event, request::body};
use lambda_http::{
    Body, Response,
    aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest},
    http::{HeaderValue, header::HOST},
    request::LambdaRequest,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::future::ready;
use tokio::runtime::Builder;

/// A REST API's event and an HTTP API's, with these texts wherever the conversion parses one. JSON can't say some of
/// them: the types can.
fn typed(text: &str, other: &str, bytes: &[u8], is_base64: bool) -> [Event; 2] {
    let host = HeaderValue::from_bytes(bytes).ok();
    let mut rest = ApiGatewayProxyRequest::default();
    (rest.path, rest.resource) = (Some(text.to_owned()), Some(other.to_owned()));
    rest.headers.extend(host.clone().map(|host| (HOST, host)));
    rest.request_context.stage = Some(other.to_owned());
    rest.request_context.domain_name = Some(text.to_owned());
    (rest.body, rest.is_base64_encoded) = (Some(other.to_owned()), is_base64);

    let mut http = ApiGatewayV2httpRequest::default();
    http.raw_path = Some(text.to_owned());
    http.raw_query_string = Some(other.to_owned());
    http.headers.extend(host.map(|host| (HOST, host)));
    http.request_context.stage = Some(other.to_owned());
    http.request_context.domain_name = Some(text.to_owned());
    (http.body, http.is_base64_encoded) = (Some(other.to_owned()), is_base64);
    [
        Event(LambdaRequest::ApiGatewayV1(rest)),
        Event(LambdaRequest::ApiGatewayV2(http)),
    ]
}

#[test]
fn no_text_is_a_panic() -> Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let text = || prop_oneof![any::<String>(), r"[/:@%\[\] ?#a]{0,12}"];
    let input = (text(), text(), any::<Vec<u8>>(), any::<bool>());
    let checked = TestRunner::default().run(&input, |(text, other, bytes, is_base64)| {
        for event in typed(&text, &other, &bytes, is_base64) {
            let handler = |request| {
                if !is_base64 {
                    assert_eq!(body(&request), Some(other.as_bytes()));
                }
                ready(Response::new(Body::from("{}")))
            };
            let answer = runtime.block_on(invoke(handler, event));
            prop_assert_eq!(answer.map(|answer| answer.status).ok(), Some(200));
        }
        let mut members = json!({"path": text, "body": other, "isBase64Encoded": is_base64,
            "headers": {&*text: other, "host": text, "idempotency-key": other}});
        let rest = rest(members.clone());
        members["path"] = Value::Null;
        members["rawPath"] = json!(text);
        members["rawQueryString"] = json!(other);
        for event in [rest, http(members)] {
            let answer = runtime.block_on(answer(&event));
            let status = answer.map(|answer| answer.status).unwrap_or_default();
            prop_assert!((400..500).contains(&status), "{} for {}", status, event);
        }
        Ok(())
    });
    checked.map_err(|error| anyhow::anyhow!("{error}"))
}
