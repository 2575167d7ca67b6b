//! The event of a request.

use super::*;
use crate::{gateway::route, template::model::Route};
use anyhow::{Context, Result};
use axum::http::Request;

const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

fn event_of(request: Request<&[u8]>) -> Result<Value> {
    signed_event_of(request, None)
}

fn signed_event_of(request: Request<&[u8]>, signer: Option<&str>) -> Result<Value> {
    let routes = ["/orders", "/orders/{id}"].map(|path| Route {
        path: path.to_owned(),
        method: "ANY".to_owned(),
        function: "F".to_owned(),
    });
    let arrival = Arrival {
        request_id: "request".to_owned(),
        trace: Trace::read(ROOT).context("malformed")?,
        at: Timestamp::from_millisecond(1_428_582_896_123)?,
    };
    let (parts, body) = request.into_parts();
    let path = route::within_stage(parts.uri.path(), "v1").context("no stage")?;
    let matched = route::find(&routes, &parts.method, path).context("no route")?;
    Ok(event(&parts, body, path, &matched, "v1", signer, &arrival))
}

#[test]
fn a_request_becomes_a_proxy_event() -> Result<()> {
    let request = Request::post("/v1/orders/a%20b?q=1&q=%C3%A4+%2B&flag")
        .header("host", "127.0.0.1:3000")
        .header("user-agent", "curl/8")
        .header("x-api-key", "key")
        .header("accept", "a")
        .header("accept", "b")
        .header("content-length", "2")
        .header("x-forwarded-for", "10.0.0.1")
        .body(b"{}".as_slice())?;
    let headers = json!({
        "Accept": ["a", "b"],
        "Host": ["127.0.0.1:3000"],
        "User-Agent": ["curl/8"],
        "X-Amzn-Trace-Id": [ROOT],
        "X-Api-Key": ["key"],
        "X-Forwarded-For": ["10.0.0.1, 127.0.0.1"],
        "X-Forwarded-Port": ["3000"],
        "X-Forwarded-Proto": ["http"],
    });
    let event = event_of(request)?;
    assert_eq!(event["multiValueHeaders"], headers);
    assert_eq!(event["headers"]["Accept"], "b");
    for (pointer, expected) in [
        ("/resource", json!("/orders/{id}")),
        ("/path", json!("/orders/a%20b")),
        ("/httpMethod", json!("POST")),
        ("/queryStringParameters", json!({"flag": "", "q": "ä +"})),
        (
            "/multiValueQueryStringParameters",
            json!({"flag": [""], "q": ["1", "ä +"]}),
        ),
        ("/pathParameters", json!({"id": "a b"})),
        ("/stageVariables", json!(null)),
        ("/body", json!("{}")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/path", json!("/v1/orders/a%20b")),
        ("/requestContext/stage", json!("v1")),
        ("/requestContext/protocol", json!("HTTP/1.1")),
        (
            "/requestContext/requestTime",
            json!("09/Apr/2015:12:34:56 +0000"),
        ),
        (
            "/requestContext/requestTimeEpoch",
            json!(1_428_582_896_123_u64),
        ),
        ("/requestContext/domainName", json!("127.0.0.1")),
        ("/requestContext/identity/apiKey", json!("key")),
        ("/requestContext/identity/apiKeyId", json!("key")),
        ("/requestContext/identity/sourceIp", json!("127.0.0.1")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    Ok(())
}

#[test]
fn what_a_request_does_not_have_is_null() -> Result<()> {
    let request = Request::get("/v1/orders").header("x-amzn-trace-id", "Root=1-2-3");
    let event = event_of(request.body(b"".as_slice())?)?;
    for pointer in [
        "/queryStringParameters",
        "/multiValueQueryStringParameters",
        "/pathParameters",
        "/body",
        "/requestContext/identity/apiKey",
        "/requestContext/identity/apiKeyId",
        "/requestContext/identity/userAgent",
    ] {
        assert_eq!(event.pointer(pointer), Some(&Value::Null), "{pointer}");
    }
    assert_eq!(event["headers"]["X-Amzn-Trace-Id"], "Root=1-2-3");
    Ok(())
}

#[test]
fn bytes_of_a_body_that_are_not_utf_8_are_replaced() -> Result<()> {
    let event = event_of(Request::post("/v1/orders").body(b"M\xfcller".as_slice())?)?;
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("M\u{fffd}ller"), &json!(false))
    );
    Ok(())
}

#[test]
fn a_signed_request_has_its_signer_as_identity() -> Result<()> {
    let request = || Request::post("/v1/orders").body(b"".as_slice());
    let identity = &signed_event_of(request()?, Some("ANN"))?["requestContext"]["identity"];
    assert_eq!(identity["userArn"], "arn:aws:iam::000000000000:user/ANN");
    for member in ["accessKey", "caller", "user"] {
        assert_eq!(identity[member], "ANN");
    }
    let identity = &event_of(request()?)?["requestContext"]["identity"];
    assert_eq!(identity["userArn"], Value::Null);
    Ok(())
}
