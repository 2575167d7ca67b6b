//! The response to a client, by a function's answer.

use super::*;
use anyhow::{Context, Result};
use http_body_util::BodyExt;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::json;

fn arrival() -> Arrival {
    Arrival {
        request_id: "request".to_owned(),
        ..Arrival::now(None)
    }
}

/// Status, headers without the request's id and trace, and body.
async fn parts(response: Response) -> Result<(u16, Vec<String>, String)> {
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers["x-amzn-requestid"], "request");
    assert!(
        parts.headers[trace::HEADER]
            .to_str()?
            .starts_with("Root=1-")
    );
    let mut headers = Vec::new();
    for (name, value) in parts
        .headers
        .iter()
        .filter(|(name, _)| !["x-amzn-requestid", trace::HEADER].contains(&name.as_str()))
    {
        headers.push(format!("{name}: {}", value.to_str()?));
    }
    headers.sort();
    let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    Ok((parts.status.as_u16(), headers, body))
}

#[tokio::test]
async fn a_function_s_answer_becomes_a_response() -> Result<()> {
    for (answer, status, headers, body) in [
        (json!({}), 200, vec!["content-type: application/json"], ""),
        (
            json!({"statusCode": 202, "headers": {"Location": "orders/1"}, "body": "{}"}),
            202,
            vec!["content-type: application/json", "location: orders/1"],
            "{}",
        ),
        (
            json!({
                "statusCode": "404",
                "headers": {"content-type": "text/plain", "A": "0", "Flag": true},
                "multiValueHeaders": {"a": ["1", "2"]},
                "body": null,
                "isBase64Encoded": false,
            }),
            404,
            vec![
                "a: 0",
                "a: 1",
                "a: 2",
                "content-type: text/plain",
                "flag: true",
            ],
            "",
        ),
        (
            json!({"headers": {"Content-Length": "7", "Connection": "close"}, "body": "é"}),
            200,
            vec![
                "content-type: application/json",
                "x-amzn-remapped-connection: close",
                "x-amzn-remapped-content-length: 7",
            ],
            "é",
        ),
        (
            json!({"body": "AAAA", "isBase64Encoded": true}),
            200,
            vec!["content-type: application/json"],
            "AAAA",
        ),
    ] {
        let response = function_response(answer.to_string().as_bytes(), &arrival());
        let response = response.with_context(|| answer.to_string())?;
        let expected = (
            status,
            headers.into_iter().map(str::to_owned).collect(),
            body.to_owned(),
        );
        assert_eq!(parts(response).await?, expected, "{answer}");
    }
    Ok(())
}

#[test]
fn the_values_of_both_maps_are_sent_once_each() -> Result<()> {
    for (single, list, expected) in [
        ("c", &["a", "b"][..], &["a", "b", "c"][..]),
        ("a", &["a", "b"], &["a", "b"]),
        ("b", &["a", "b"], &["a", "b"]),
        ("c", &[], &["c"]),
    ] {
        let answer = json!({
            "headers": {"set-cookie": single, "content-type": "text/plain"},
            "multiValueHeaders": {"Set-Cookie": list, "Content-Type": ["text/plain"]},
        });
        let response = function_response(answer.to_string().as_bytes(), &arrival());
        let response = response.context("no response")?;
        let sent = |name| response.headers().get_all(name).iter();
        assert!(sent("set-cookie").eq(expected), "{single} {list:?}");
        assert!(sent("content-type").eq(["text/plain"]));
    }
    Ok(())
}

#[test]
fn a_malformed_answer_is_none() {
    for answer in [
        "",
        "null",
        "\"text\"",
        "[200,{},{},\"\",false]",
        "{\"statusCode\":200",
        "{\"statusCode\":199}",
        "{\"statusCode\":600}",
        "{\"statusCode\":-1}",
        "{\"statusCode\":true}",
        "{\"statusCode\":\"ok\"}",
        "{\"body\":{}}",
        "{\"body\":1}",
        "{\"headers\":[]}",
        "{\"headers\":{\"a\":{}}}",
        "{\"headers\":{\"a\":1}}",
        "{\"headers\":{\"a b\":\"c\"}}",
        "{\"headers\":{\"a\":\"b\\n\"}}",
        "{\"multiValueHeaders\":{\"a\":\"b\"}}",
        "{\"errorMessage\":\"failed\"}",
        "{\"statusCode\":200,\"cookies\":[]}",
    ] {
        assert!(
            function_response(answer.as_bytes(), &arrival()).is_none(),
            "{answer}"
        );
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => "(a|B|content-type|Content-Length|Transfer-Encoding|Set-Cookie)",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_malformed(bytes: Vec<u8>) {
        function_response(&bytes, &arrival());
    }

    #[test]
    fn any_answer_with_the_right_members_is_a_response_or_malformed(
        status in 190_i32..610,
        headers in btree_map(name(), "\\PC{0,9}", 0..3),
        many in btree_map(name(), vec("[ -~é]{0,9}", 0..3), 0..3),
        body: Option<String>,
        encoded: Option<bool>,
    ) {
        let answer = json!({
            "statusCode": status,
            "headers": headers,
            "multiValueHeaders": many,
            "body": body,
            "isBase64Encoded": encoded,
        });
        if let Some(response) = function_response(answer.to_string().as_bytes(), &arrival()) {
            prop_assert_eq!(i32::from(response.status().as_u16()), status);
        }
    }
}

#[tokio::test]
async fn a_gateway_response_is_the_template_s_or_aws_s() -> Result<()> {
    let custom = |status: Option<u16>, header: &str, body: Option<&str>| GatewayResponse {
        status,
        headers: [("content-type".to_owned(), header.to_owned())].into(),
        body: body.map(str::to_owned),
    };
    let all = "$context.error.message|$context.error.messageString|$context.error.responseType|$context.requestId";
    let responses = BTreeMap::from([
        (
            "MISSING_AUTHENTICATION_TOKEN".to_owned(),
            custom(Some(404), "a/b", Some("{}")),
        ),
        ("DEFAULT_4XX".to_owned(), custom(None, "c/d", Some(all))),
        ("INTEGRATION_TIMEOUT".to_owned(), custom(None, "e/f", None)),
    ]);
    for (fault, status, content_type, error, body) in [
        (
            MISSING_AUTHENTICATION_TOKEN,
            404,
            "a/b",
            "MissingAuthenticationTokenException",
            "{}",
        ),
        (
            EVENT_TOO_LARGE,
            413,
            "c/d",
            "RequestTooLargeException",
            "Request Too Long|\"Request Too Long\"|REQUEST_TOO_LARGE|request",
        ),
        (
            INTEGRATION_TIMEOUT,
            504,
            "e/f",
            "InternalServerErrorException",
            r#"{"message":"Endpoint request timed out"}"#,
        ),
        (
            INTERNAL_SERVER_ERROR,
            502,
            "application/json",
            "InternalServerErrorException",
            r#"{"message":"Internal server error"}"#,
        ),
        (
            THROTTLED_FUNCTION,
            500,
            "application/json",
            "InternalServerErrorException",
            r#"{"message":"Internal server error"}"#,
        ),
    ] {
        let headers = vec![
            format!("content-type: {content_type}"),
            format!("x-amzn-errortype: {error}"),
        ];
        let response = gateway_response(&fault, &responses, &arrival());
        assert_eq!(parts(response).await?, (status, headers, body.to_owned()));
    }
    Ok(())
}
