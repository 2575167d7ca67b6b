//! Events that no gateway is known to send: each is mended, or read, or a function error, as `gateway` says. None of them
//! is a panic.

use crate::faked::{Answer, answering, config, http, ingest, read, request, rest, sample};
use anyhow::Result;
use ingest::{gateway::Event, request::header, route::order_id};
use serde_json::{Value, json};

/// Gives `ingest`'s answer to an event, above a queue that stores everything.
pub async fn answer(event: &Value) -> Result<Answer> {
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    ingest(event, &config).await
}

/// Texts that make no host, no path and no query.
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
async fn an_order_is_accepted_whatever_stands_where_nobody_looks() -> Result<()> {
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
                // Without the other map, the conversion looks at the host in this one.
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
async fn two_idempotency_keys_are_refused_and_not_one_of_them_taken() -> Result<()> {
    let mut event = sample("idempotent-order")?;
    event["headers"]["Idempotency-Key"] = json!("l");
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k", "l"]);
    assert_eq!(answer(&event).await?.status, 422);
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k"]);
    event["multiValueHeaders"]["idempotency-key"] = json!(["l"]);
    assert_eq!(answer(&event).await?.status, 422);
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

#[test]
fn what_cannot_be_read_is_a_function_error_that_quotes_nothing() -> Result<()> {
    let check = |event: &Value| {
        let error = read(event).expect_err("it is no gateway's").to_string();
        assert_eq!(
            error,
            "the event is no REST API's, HTTP API's or Function URL's"
        );
    };
    for event in [
        json!(null),
        json!([]),
        json!("order"),
        json!({}),
        json!({"httpMethod": "POST"}),
    ] {
        check(&event);
    }
    for (name, pointer, value) in [
        ("order", "/requestContext", Value::Null),
        ("order", "/requestContext/httpMethod", Value::Null),
        ("order", "/httpMethod", json!("a b")),
        ("order", "/requestContext/identity/apiKeyId", json!(7)),
        ("order", "/body", json!({})),
        ("order", "/multiValueHeaders/Accept", json!([7])),
        ("order-http-api", "/requestContext/http", Value::Null),
        ("order-http-api", "/requestContext/http/method", json!("ä")),
        (
            "order-http-api",
            "/requestContext/authorizer/jwt",
            json!("eyJ"),
        ),
        (
            "order-http-api",
            "/requestContext/authorizer/jwt/claims/sub",
            json!(7),
        ),
        ("order-http-api", "/headers/accept", json!({})),
        ("order-http-api", "/version", json!(2)),
    ] {
        let mut event = sample(name)?;
        *event.pointer_mut(pointer).expect("it is there") = value;
        check(&event);
    }
    check(&rest(json!({"requestContext": {"authorizer": "ann"}})));
    check(&http(json!({"path": "/orders", "rawPath": "/orders"})));
    let half_a_pair =
        r#"{"httpMethod":"POST","requestContext":{"httpMethod":"POST"},"body":"\ud800"}"#;
    assert!(serde_json::from_str::<Event>(half_a_pair).is_err());
    Ok(())
}

#[tokio::test]
async fn the_rest_is_read_as_gateway_says() -> Result<()> {
    let none = rest(json!({"multiValueHeaders": {"Idempotency-Key": []}}));
    let request = request(read(&none)?).await?;
    assert_eq!(header(&request, "idempotency-key"), None);
    let no_method = rest(json!({"httpMethod": ""}));
    assert_eq!(answer(&no_method).await?.status, 405);
    Ok(())
}
