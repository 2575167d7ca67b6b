//! Orders in messages and rows, and what events show of them.

use events::{Fingerprint, Order, OrderPlaced, Outcome, OutcomeEvent};
use serde_json::{Value, json};

fn message() -> anyhow::Result<Value> {
    Ok(serde_json::from_str(include_str!(
        "../../../order-placed.json"
    ))?)
}

#[test]
fn a_stored_order_may_exceed_the_limits_of_today() -> anyhow::Result<()> {
    let mut message = message()?;
    message["order"]["currency"] = json!("XQZ");
    message["order"]["lines"] = json!(vec![
        json!({"sku": "a b", "quantity": 2_000_000, "unit_price": 1});
        60
    ]);
    let read = OrderPlaced::from_json(&message.to_string())?;
    assert_eq!(read.order().total(), 120_000_000);
    Ok(())
}

#[test]
fn a_stored_order_whose_sums_overflow_is_malformed() -> anyhow::Result<()> {
    let line = |quantity: u64, unit_price: u64| json!({"sku": "a", "quantity": quantity, "unit_price": unit_price});
    for lines in [
        json!([line(u64::MAX, 2)]),
        json!([line(u64::MAX, 0), line(1, 0)]),
        json!([line(1, u64::MAX), line(1, 1)]),
    ] {
        let mut message = message()?;
        message["order"]["lines"] = lines;
        assert!(
            OrderPlaced::from_json(&message.to_string()).is_err(),
            "{message}"
        );
    }
    Ok(())
}

#[test]
fn each_field_counts_in_the_fingerprint() -> anyhow::Result<()> {
    let of = |body: &str| anyhow::Ok(Fingerprint::of(&Order::parse(body.as_bytes())?));
    let order = r#"{"lines":[{"sku":"a","quantity":1,"unit_price":2}],"currency":"EUR"}"#;
    let escaped = r#" {"currency":"\u0045UR", "lines":[{"unit_price":2,"quantity":1,"sku":"a"}]}"#;
    assert_eq!(of(escaped)?, of(order)?);
    for other in [
        order.replace("EUR", "USD"),
        order.replace(":1", ":3"),
        order.replace(":2", ":3"),
        order.replace("\"a\"", "\"b\""),
        order.replace("}]", r#"}],"reference":"""#),
    ] {
        assert_ne!(of(&other)?, of(order)?, "{other}");
    }
    Ok(())
}

#[test]
fn an_order_without_a_reference_has_none_in_its_event() -> anyhow::Result<()> {
    let mut message = message()?;
    let order = message["order"].as_object_mut();
    order.map(|order| order.remove("reference"));
    let placed = OrderPlaced::from_json(&message.to_string())?;
    assert_eq!(serde_json::from_str::<Value>(&placed.to_json())?, message);
    let event = OutcomeEvent::new(
        &placed,
        Outcome::Confirmed,
        placed.placed_at(),
        placed.placed_at(),
    );
    let detail: Value = serde_json::from_str(&event.to_json())?;
    assert_eq!(detail.get("reference"), None);
    assert_eq!(serde_json::from_value::<OutcomeEvent>(detail)?, event);
    Ok(())
}
