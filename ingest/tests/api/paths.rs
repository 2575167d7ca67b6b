//! The paths of orders: the location in a 202, and the spellings of an order's path.

use crate::faked::{Answer, answering, ask, config, ingest, sample};
use anyhow::{Context, Result};
use events::{Fingerprint, Order, Timestamp};
use serde_json::{Value, json};

/// Returns `ingest`'s answer to an event, with a queue that stores everything.
async fn stored(event: &Value) -> Result<Answer> {
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    ingest(event, &config).await
}

#[tokio::test]
async fn a_location_leads_to_the_order() -> Result<()> {
    for (path, expected) in [
        ("/orders", "orders/"),
        ("/orders/", ""),
        ("/orders//", "../"),
        ("/shop/orders///", "../../"),
        ("//orders", "orders/"),
        ("", "orders/"),
    ] {
        for (name, member) in [("order", "path"), ("order-http-api", "rawPath")] {
            let mut event = sample(name)?;
            event[member] = json!(path);
            let answer = stored(&event).await?;
            let id = answer.document()?["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let location = answer.headers["location"].split_once("?placed_at=");
            let (location, hints) = location.context("no hint")?;
            assert_eq!(location, format!("{expected}{id}"), "{path}");
            let hints = hints.split_once("&fingerprint=");
            let (placed_at, fingerprint) = hints.context("no fingerprint")?;
            placed_at.parse::<Timestamp>()?;
            let order = Order::parse(event["body"].as_str().unwrap_or_default().as_bytes())?;
            assert_eq!(fingerprint, &Fingerprint::of(&order).as_str()[..8]);
        }
    }
    let mut event = sample("order")?;
    event["path"] = json!(format!("/orders{}", "/".repeat(17)));
    assert!(!stored(&event).await?.headers.contains_key("location"));
    Ok(())
}

#[tokio::test]
async fn an_order_is_found_with_a_slash_at_the_end() -> Result<()> {
    let event = sample("status")?;
    let path = event["path"].as_str().unwrap_or_default().to_owned();
    for end in ["", "/", "//"] {
        let mut event = event.clone();
        (event["path"], event["pathParameters"]) = (json!(format!("{path}{end}")), Value::Null);
        let config = config(answering(|_| (200, json!({})))).build();
        assert_eq!(ask(&event, &config).await?.status, 200, "{end:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_order_is_found_however_its_path_is_spelt() -> Result<()> {
    let known = sample("status")?;
    let id = known["pathParameters"]["id"].as_str().context("no id")?;
    let encoded = id.replace('-', "%2D").replace('a', "%61");
    let all: Vec<_> = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let all = all.concat();
    let context = json!({"http": {"method": "GET"},
        "authorizer": {"lambda": {"principalId": "ann"}}});
    for (path, status) in [
        (format!("/orders/{id}"), 200),
        (format!("/orders/{encoded}"), 200),
        (format!("/orders/{all}"), 200),
        (format!("/v1/orders/{encoded}/"), 200),
        (format!("/shop/orders//{encoded}//"), 200),
        (format!("/orders%2F{id}"), 404),
        (format!("/orders/{id}%2F"), 404),
        (format!("/orders/{}", id.replace('-', "%252D")), 404),
    ] {
        let mut row = sample("order-record")?;
        row["client"] = json!({"S": "principal:ann"});
        let config = config(answering(move |_| (200, json!({"Item": row})))).build();
        let mut event = json!({"version": "2.0", "rawPath": path, "requestContext": context});
        assert_eq!(ask(&event, &config).await?.status, status, "{path}");
        // The parameter of a REST API's or HTTP API's route, as the gateway passes it on.
        event["routeKey"] = json!("GET /orders/{id}");
        let parameter = path.rsplit('/').find(|segment| !segment.is_empty());
        event["pathParameters"] = json!({"id": parameter});
        assert_eq!(ask(&event, &config).await?.status, status, "{path}");
        // Some gateways decode the parameter, so a slash in it was an encoded one.
        for odd in [format!("x/{id}"), format!("{id}/")] {
            event["pathParameters"] = json!({"id": odd});
            assert_eq!(ask(&event, &config).await?.status, 404, "{odd}");
        }
    }
    Ok(())
}
