//! The request headers that the functions use, and the headers of every answer.

use crate::faked::{Answer, answering, ask, config, ids, ingest, sample};
use anyhow::Result;
use events::{Client, IdempotencyKey};
use serde_json::{Value, json};

/// Returns `ingest`'s answer to an event, with a queue that stores everything.
async fn answer(event: &Value) -> Result<Answer> {
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    ingest(event, &config).await
}

/// Returns an order's event with this header: in both maps for a REST API, in the only one for an HTTP API or a Function URL.
fn with(sample_name: &str, name: &str, one: &Value, many: &Value) -> Result<Value> {
    let mut event = sample(sample_name)?;
    for map in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[map].as_object_mut() {
            headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        }
    }
    if !one.is_null() {
        event["headers"][name] = one.clone();
    }
    if sample_name == "order" && !many.is_null() {
        event["multiValueHeaders"][name] = many.clone();
    }
    Ok(event)
}

#[tokio::test]
async fn a_key_that_is_sent_twice_is_one_key_and_two_keys_are_none() -> Result<()> {
    let check = async |event: Value, client: &str, key: Option<&str>| {
        let answer = answer(&event).await?;
        let Some(key) = key else {
            assert_eq!(answer.status, 422, "{event}");
            assert_eq!(answer.document()?["type"], "invalid-idempotency-key");
            return anyhow::Ok(());
        };
        let id = ids()?.keyed(&Client::identified(client), &IdempotencyKey::new(key)?);
        assert_eq!(
            (answer.status, &answer.document()?["id"]),
            (202, &json!(id.to_string()))
        );
        Ok(())
    };
    for (one, many, key) in [
        (json!("k1"), json!(["k1", "k1"]), Some("k1")),
        (json!("k2"), json!(["k1", "k2"]), None),
        (json!("k1"), json!(["k2"]), None),
        (json!("k1"), Value::Null, Some("k1")),
        (Value::Null, json!(["k1", "k1", "k1"]), Some("k1")),
        (json!("k1,k2"), json!(["k1,k2"]), None),
        (json!("k1,"), json!(["k1,"]), None),
        (json!(","), json!([","]), None),
        (json!("k1, k2"), json!(["k1, k2"]), None),
        (json!("k1,k1"), json!(["k1,k1"]), None),
        (json!("null,null"), Value::Null, None),
        (json!("k1"), json!(["k1, k1"]), None),
        (json!("k2"), json!(["k1,k1"]), None),
    ] {
        for name in ["Idempotency-Key", "idempotency-key"] {
            check(with("order", name, &one, &many)?, "8f2kd91mxa", key).await?;
        }
    }
    let mut spelt = with("order", "Idempotency-Key", &json!("k1"), &json!(["k1"]))?;
    spelt["multiValueHeaders"]["IDEMPOTENCY-KEY"] = json!(["k1"]);
    check(spelt.clone(), "8f2kd91mxa", Some("k1")).await?;
    spelt["headers"]["IDEMPOTENCY-KEY"] = json!("k2");
    check(spelt, "8f2kd91mxa", None).await?;

    let subject = r#"subject:["https://login.example.com","shop-42"]"#;
    for (joined, key) in [
        ("k1,k1", Some("k1")),
        ("k1,k1,k1", Some("k1")),
        ("k1, k1", Some("k1")),
        ("k1,k2", None),
        ("k1,", None),
        (",", None),
        ("k1,K1", None),
    ] {
        check(
            with(
                "order-http-api",
                "idempotency-key",
                &json!(joined),
                &Value::Null,
            )?,
            subject,
            key,
        )
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_near_miss_of_the_keys_header_is_refused_with_its_right_name() -> Result<()> {
    for (name, is_near) in [
        ("X-Idempotency-Key", true),
        ("x-idempotency-key", true),
        ("Idempotency_Key", true),
        ("IDEMPOTENCY_KEY", true),
        ("IdempotencyKey", true),
        ("X-Idempotency_Key", true),
        ("Idempotency-Keys", true),
        ("Idempotent-Key", true),
        ("Idempotence-Key", true),
        ("X-Shop-Idempotency-Key", true),
        ("Idempotency-Token", true),
        ("X-Idempotency-Id", true),
        ("Idempotency", true),
        ("Indempotency-Key", true),
        ("Idenpotency-Key", true),
        ("X-Amz-Key", false),
        ("X-Api-Key", false),
        ("Key", false),
        ("Idempotency-Replayed", false),
        ("X-Idempotent-Replayed", false),
        ("X-Amzn-Trace-Id", false),
    ] {
        for sample_name in [
            "order",
            "order-http-api",
            "order-function-url",
            "batch-request",
        ] {
            let mut event = sample(sample_name)?;
            for map in ["headers", "multiValueHeaders"] {
                if let Some(headers) = event[map].as_object_mut() {
                    headers.retain(|known, _| !known.eq_ignore_ascii_case("idempotency-key"));
                }
            }
            let plain = answer(&event).await?.status;
            event["headers"][name] = json!("k1");
            let refused = answer(&event).await?;
            assert_ne!(plain, 422, "{sample_name}");
            let expected = if is_near { 422 } else { plain };
            assert_eq!(refused.status, expected, "{name}: {refused:?}");
            if is_near {
                let problem = refused.document()?;
                assert_eq!(problem["type"], "invalid-idempotency-key");
                let detail = problem["detail"].as_str().unwrap_or_default();
                let right = ["Idempotency-Key", "idempotency_key"];
                assert!(right.iter().any(|right| detail.contains(right)), "{detail}");
            }
            // Callers of a Function URL are anonymous, and may not use keys.
            if ["order", "order-http-api"].contains(&sample_name) {
                // A proxy may add the right header beside the client's.
                event["headers"]["Idempotency-Key"] = json!("k1");
                assert_eq!(answer(&event).await?.status, 202, "{name}");
            }
        }
    }
    let mut status = sample("status")?;
    status["headers"]["X-Idempotency-Key"] = json!("k1");
    let config = config(answering(|_| (200, json!({})))).build();
    assert_eq!(ask(&status, &config).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn each_content_type_must_be_json() -> Result<()> {
    let json = "application/json";
    for (one, many, status) in [
        (json!(json), json!([json, json]), 202),
        (
            json!(json),
            json!([json, "Application/JSON; charset=utf-8"]),
            202,
        ),
        (json!("text/plain"), json!([json, "text/plain"]), 415),
        (json!(json), json!(["text/plain", json]), 415),
        (json!(json), json!(["text/plain"]), 415),
        (json!("text/plain"), json!([json]), 415),
        (Value::Null, Value::Null, 415),
        (json!(json), Value::Null, 202),
        (Value::Null, json!([json]), 202),
    ] {
        let event = with("order", "content-type", &one, &many)?;
        assert_eq!(answer(&event).await?.status, status, "{one} {many}");
    }
    for (joined, status) in [
        ("application/json,application/json", 202),
        ("application/json; charset=utf-8, application/json", 202),
        ("application/json,text/plain", 415),
        ("application/json; charset=utf-8,text/plain", 415),
        ("application/json,", 415),
    ] {
        for name in ["order-http-api", "order-function-url"] {
            let event = with(name, "content-type", &json!(joined), &Value::Null)?;
            assert_eq!(answer(&event).await?.status, status, "{joined}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_arrives_encoded_is_refused_and_one_that_was_decoded_is_read() -> Result<()> {
    // The first bytes of a gzip stream as a gateway passes them on: in base64, or replaced by U+FFFD.
    let coded = [("H4sIAAAAAAAA", true), ("\u{1f}\u{fffd}\u{8}", false)];
    for name in ["order", "order-http-api"] {
        for coding in ["gzip", "br", "zstd", "GZIP", "identity, gzip"] {
            let mut event = with(name, "Content-Encoding", &json!(coding), &json!([coding]))?;
            assert_eq!(answer(&event).await?.status, 202, "{coding}");
            for (body, is_base64) in coded {
                (event["body"], event["isBase64Encoded"]) = (body.into(), is_base64.into());
                let answer = answer(&event).await?;
                assert_eq!(
                    (answer.status, &*answer.headers["accept-encoding"]),
                    (415, "identity")
                );
            }
        }
        for plain in ["identity", "Identity"] {
            let mut event = with(name, "Content-Encoding", &json!(plain), &json!([plain]))?;
            event["body"] = json!("{");
            let answer = answer(&event).await?;
            assert_eq!(answer.status, 400, "{plain}");
            assert!(!answer.headers.contains_key("accept-encoding"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_answer_is_kept_by_a_cache_or_guessed_at() -> Result<()> {
    let mut answers = Vec::new();
    for name in [
        "order",
        "invalid-order",
        "not-json",
        "order-bad-base64",
        "batch-request",
    ] {
        answers.push(answer(&sample(name)?).await?);
    }
    let no_method = answer(&json!({"httpMethod": "PATCH", "requestContext": {}})).await?;
    answers.push(no_method);
    for name in ["status", "unknown-status"] {
        for method in ["GET", "HEAD", "POST"] {
            let mut event = sample(name)?;
            event["httpMethod"] = json!(method);
            let config = config(answering(|_| (200, json!({})))).build();
            answers.push(ask(&event, &config).await?);
        }
    }
    let down = config(answering(|_| (500, json!({})))).build();
    answers.push(ingest(&sample("order")?, &down).await?);
    for answer in answers {
        assert_eq!(answer.headers["cache-control"], "no-store", "{answer:?}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{answer:?}"
        );
    }
    Ok(())
}
