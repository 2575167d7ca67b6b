//! Events that no gateway is known to send. As `gateway` documents, each is repaired, read as it is, or a function error. None
//! is a panic.

use crate::faked::{Answer, accept, answering, config, http, ingest, read, request, rest, sample};
use anyhow::Result;
use ingest::route::order_id;
use serde_json::{Value, json};

/// Returns `ingest`'s answer to an event, with a queue that stores everything.
pub async fn answer(event: &Value) -> Result<Answer> {
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    ingest(event, &config).await
}

/// Texts that are neither a host nor a path nor a query.
const ODD: [&str; 12] = [
    "",
    " ",
    "a b",
    "//",
    ":",
    "http://[",
    "[::1",
    "a@b:c",
    "%",
    "?#",
    "\0\u{7f}",
    "\u{202e}ä",
];

#[tokio::test]
async fn an_order_is_accepted_whatever_unused_members_contain() -> Result<()> {
    let (mut places, long) = (0, "x/".repeat(60_000));
    for name in ["order", "order-http-api", "order-function-url"] {
        for odd in ODD.into_iter().chain([&*long]) {
            for pointer in [
                "/path",
                "/rawPath",
                "/rawQueryString",
                "/queryStringParameters",
                "/multiValueQueryStringParameters",
                "/headers/Host",
                "/headers/host",
                "/headers/X-Forwarded-Proto",
                "/headers/x-forwarded-proto",
                "/multiValueHeaders/Host/0",
                "/multiValueHeaders/X-Forwarded-Proto/0",
                "/requestContext/domainName",
                "/requestContext/stage",
                "/requestContext/path",
            ] {
                let mut event = sample(name)?;
                let Some(place) = event.pointer_mut(pointer) else {
                    continue;
                };
                *place = match pointer {
                    "/queryStringParameters" => json!({ odd: odd }),
                    "/multiValueQueryStringParameters" => json!({ odd: [odd, odd] }),
                    _ => json!(odd),
                };
                // Without the other map, the conversion reads the host from this one.
                if pointer.starts_with("/headers/") {
                    event["multiValueHeaders"] = Value::Null;
                }
                let answer = answer(&event).await?;
                assert_eq!(answer.status, 202, "{pointer} is {odd:?}: {answer:?}");
                places += 1;
            }
        }
    }
    assert_eq!(places, 13 * (10 + 6 + 6));
    Ok(())
}

#[tokio::test]
async fn a_path_is_read_as_it_is() -> Result<()> {
    let long = "x".repeat(70_000);
    for odd in ODD
        .into_iter()
        .chain([&*long])
        .filter(|odd| !odd.contains('/'))
    {
        for slash in ["", "/"] {
            let path = format!("{slash}{odd}");
            for event in [rest(json!({"path": path})), http(json!({"rawPath": path}))] {
                assert_eq!(order_id(&request(read(&event)?).await?), odd);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn bad_base64_is_400_and_before_every_other_fault() -> Result<()> {
    let mut event = sample("order-bad-base64")?;
    event["headers"] = json!({"Content-Type": "text/plain"});
    event["multiValueHeaders"] = Value::Null;
    let answer = answer(&event).await?;
    assert_eq!(answer.status, 400);
    let problem = answer.document()?;
    assert_eq!(
        problem["detail"],
        "The body is marked as base64 but can't be decoded."
    );
    Ok(())
}

#[tokio::test]
async fn what_http_forbids_in_a_header_costs_no_order_and_saves_no_bad_key() -> Result<()> {
    let check = async |name: &str, value: Value, status: u16| {
        for map in ["headers", "multiValueHeaders"] {
            let mut event = sample("order")?;
            event["headers"] = Value::Null;
            let mut headers = event["multiValueHeaders"].take();
            headers[name] = match map {
                "headers" => value.clone(),
                _ => json!([value]),
            };
            event[map] = headers;
            let answer = answer(&event).await?;
            assert_eq!(answer.status, status, "{name:?}: {value}");
        }
        let mut event = sample("order-http-api")?;
        event["headers"][name] = value.clone();
        let answer = answer(&event).await?;
        assert_eq!(answer.status, status, "{name:?}: {value}");
        anyhow::Ok(())
    };
    for odd in ["\0", "a\nb", "\u{7f}", "\r\nx: y", "\u{1b}[31m"] {
        check("X-Odd", json!(odd), 202).await?;
        check("Idempotency-Key", json!(odd), 422).await?;
        check("Content-Type", json!(odd), 415).await?;
    }
    check("Idempotency-Key", json!("\u{85}"), 422).await?;
    for odd in ["", " ", "a b", "ä", "a:", "\0", &"x".repeat(70_000)] {
        check(odd, json!("x"), 202).await?;
    }
    Ok(())
}

#[tokio::test]
async fn nulls_are_left_out() -> Result<()> {
    for (name, pointers) in [
        (
            "order",
            vec![
                "/resource",
                "/path",
                "/headers",
                "/multiValueHeaders/Accept",
                "/pathParameters",
                "/stageVariables",
                "/requestContext/identity",
                "/requestContext/requestTimeEpoch",
                "/requestContext/stage",
                "/isBase64Encoded",
            ],
        ),
        (
            "order-http-api",
            vec![
                "/rawPath",
                "/headers/accept",
                "/requestContext/authorizer",
                "/requestContext/timeEpoch",
                "/isBase64Encoded",
            ],
        ),
    ] {
        for pointer in pointers {
            let mut event = sample(name)?;
            *event.pointer_mut(pointer).expect("it is there") = Value::Null;
            let answer = answer(&event).await?;
            assert_eq!(answer.status, 202, "{pointer}: {answer:?}");
        }
    }
    Ok(())
}

/// Returns `ingest`'s answer to an event whose text isn't Unicode.
async fn answer_text(event: &str) -> Result<Answer> {
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    accept(serde_json::from_str(event)?, &config).await
}

#[test]
fn what_cannot_be_read_is_a_function_error_that_quotes_nothing() -> Result<()> {
    let check = |event: &Value| {
        let error = read(event)
            .expect_err("it is no gateway's event")
            .to_string();
        assert_eq!(
            error,
            "the event is not from a REST API, an HTTP API or a Function URL"
        );
    };
    for event in [
        json!(null),
        json!([]),
        json!("order"),
        json!({}),
        json!({"httpMethod": "POST"}),
        json!({"httpMethod": "POST", "requestContext": []}),
        json!({"httpMethod": "POST", "requestContext": {"elb": {"targetGroupArn": "arn"}}}),
        json!({"httpMethod": "", "requestContext": {}}),
        json!({"requestContext": {"httpMethod": "POST"}}),
    ] {
        check(&event);
    }
    for (name, pointer, value) in [
        ("order", "/requestContext", Value::Null),
        ("order", "/httpMethod", Value::Null),
        ("order", "/httpMethod", json!("a b")),
        ("order", "/httpMethod", json!("ä")),
        ("order", "/body", json!({})),
        ("order", "/body", json!(["{}"])),
        ("order", "/isBase64Encoded", json!("true")),
        ("order", "/isBase64Encoded", json!(1)),
        ("order-http-api", "/requestContext/http", Value::Null),
        ("order-http-api", "/requestContext/http/method", json!("ä")),
        ("order-http-api", "/requestContext/http/method", json!(7)),
        ("order-http-api", "/body", json!(7)),
    ] {
        let mut event = sample(name)?;
        *event.pointer_mut(pointer).expect("it is there") = value;
        check(&event);
    }
    Ok(())
}

#[tokio::test]
async fn another_type_in_an_unused_member_costs_no_order() -> Result<()> {
    for (name, pointers) in [
        (
            "order",
            vec![
                "/resource",
                "/path",
                "/headers",
                "/multiValueHeaders/Accept",
                "/queryStringParameters",
                "/pathParameters",
                "/stageVariables",
                "/requestContext/httpMethod",
                "/requestContext/identity/sourceIp",
                "/requestContext/requestTimeEpoch",
                "/requestContext/stage",
            ],
        ),
        (
            "order-http-api",
            vec![
                "/version",
                "/routeKey",
                "/rawPath",
                "/rawQueryString",
                "/headers/accept",
                "/requestContext/timeEpoch",
                "/requestContext/authorizer/jwt/scopes",
                "/requestContext/authorizer/jwt/claims/aud",
            ],
        ),
    ] {
        for pointer in pointers {
            for odd in [
                json!(7),
                json!("odd"),
                json!([7, null]),
                json!({"a": [{}]}),
                json!(false),
            ] {
                let mut event = sample(name)?;
                *event.pointer_mut(pointer).expect("it is there") = odd;
                let answer = answer(&event).await?;
                assert_eq!(answer.status, 202, "{pointer}: {answer:?}");
            }
        }
    }
    // With both paths, which no gateway sends.
    let mut event = sample("order-http-api")?;
    event["path"] = json!("/orders");
    assert_eq!(answer(&event).await?.status, 202);
    Ok(())
}

#[tokio::test]
async fn half_a_surrogate_pair_costs_its_place_only() -> Result<()> {
    let check = async |from: &str, to: &str, status: u16, said: &str| {
        for name in ["order", "order-http-api"] {
            let text = sample(name)?.to_string();
            let text = text.replacen(from, to, 1);
            let event = serde_json::from_str::<Value>(&text).is_err();
            assert!(event, "{to} is there");
            let answer = answer_text(&text).await?;
            assert_eq!(answer.status, status, "{to}: {answer:?}");
            assert!(answer.body.contains(said), "{answer:?}");
        }
        anyhow::Ok(())
    };
    check(r#""body":""#, r#""odd":"\ud800","body":""#, 202, "queued").await?;
    check("PO-2026-1187", r"PO\ud83d", 422, "/reference").await?;
    check("teapot", r"\udc00", 422, "/lines/0/sku").await?;
    check("curl/8.14.1", r"\ud800", 202, "queued").await?;
    check(
        "application/json",
        r"application/\ud800",
        415,
        "about:blank",
    )
    .await
}
