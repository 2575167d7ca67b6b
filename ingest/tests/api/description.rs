//! `GET /openapi.json`.

use crate::faked::{answering, ask, config, http, rest, sample};
use anyhow::Result;
use events::openapi::JSON;
use serde_json::json;

/// An AWS that must not be called.
fn uncalled() -> aws_types::SdkConfig {
    config(answering(|_| panic!("AWS is called"))).build()
}

#[tokio::test]
async fn the_description_is_the_contracts_for_every_caller() -> Result<()> {
    let sample = sample("description")?;
    let below_a_slash = rest(json!({"httpMethod": "GET", "path": "/openapi.json/"}));
    let get = json!({"http": {"method": "GET"}});
    let over_http = http(json!({"rawPath": "/v1/openapi.json", "requestContext": get}));
    // Behind a base path that ends in `orders`. A REST API and an HTTP API include it in the path.
    let mut below_orders = sample.clone();
    below_orders["path"] = json!("/orders/openapi.json");
    let route = json!({"rawPath": "/orders/openapi.json", "routeKey": "GET /openapi.json", "requestContext": get});
    let encoded = http(json!({"rawPath": "/%6Fpenapi.json", "requestContext": get}));
    for event in [
        sample,
        below_a_slash,
        over_http,
        below_orders,
        http(route),
        encoded,
    ] {
        let answer = ask(&event, &uncalled()).await?;
        assert_eq!((answer.status, &*answer.body), (200, JSON), "{event}");
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "public, max-age=300"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.headers[name], value, "{event}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn head_has_the_headers_alone_and_no_other_method_is_answered() -> Result<()> {
    let mut event = sample("description")?;
    let mut ask_by = async |method: &str| {
        event["httpMethod"] = json!(method);
        event["requestContext"]["httpMethod"] = json!(method);
        ask(&event, &uncalled()).await
    };
    let (get, head) = (ask_by("GET").await?, ask_by("HEAD").await?);
    assert_eq!((head.status, head.headers), (200, get.headers));
    assert_eq!(head.body, "");
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = ask_by(method).await?;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers["allow"], "GET, HEAD");
    }
    Ok(())
}

#[tokio::test]
async fn an_order_of_that_name_is_unknown() -> Result<()> {
    let mut by_parameter = sample("unknown-status")?;
    by_parameter["pathParameters"]["id"] = json!("openapi.json");
    let get = json!({"http": {"method": "GET"}});
    let by_path = http(json!({"rawPath": "/orders/openapi.json", "requestContext": get}));
    let route = json!({"rawPath": "/orders/openapi.json", "routeKey": "GET /orders/{id}", "requestContext": get});
    for event in [by_parameter, by_path, http(route)] {
        assert_eq!(ask(&event, &uncalled()).await?.status, 404, "{event}");
    }
    Ok(())
}
