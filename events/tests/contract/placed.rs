//! The queue message and the table row, and the versions that can read them.

use events::{
    Client, Fingerprint, Order, OrderIds, OrderPlaced, OrderRecord, Outcome, Reason, Secret,
    placed::NotAnOrderPlaced,
};
use serde_json::{Value, json};
use std::time::Duration;

fn placed() -> anyhow::Result<OrderPlaced> {
    let order = Order::parse(
        br#"{"lines":[{"sku":"cup","quantity":2,"unit_price":1250}],"currency":"EUR"}"#,
    )?;
    let client = Client::identified("ann");
    let id = OrderIds::new(Secret::new("s".repeat(32))?, vec![]).fresh(&client, [7; 12]);
    let placed_at = "2026-11-22T09:00:00.000Z".parse()?;
    Ok(OrderPlaced::new(id, client, placed_at, order))
}

#[test]
fn a_message_is_read_as_it_was_written() -> anyhow::Result<()> {
    let placed = placed()?;
    assert_eq!(OrderPlaced::from_json(&placed.to_json())?, placed);
    Ok(())
}

#[test]
fn a_message_of_this_version_is_read_leniently() -> anyhow::Result<()> {
    let mut message: Value = serde_json::from_str(&placed()?.to_json())?;
    message["later"] = json!({"field": 1});
    message["order"]["later"] = json!(1);
    // The API's limits may have been wider when the order was accepted.
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
fn a_message_that_cannot_be_read_says_why() -> anyhow::Result<()> {
    let change = |member: &str, value: Value| -> anyhow::Result<NotAnOrderPlaced> {
        let mut message: Value = serde_json::from_str(&placed()?.to_json())?;
        message[member] = value;
        let Err(error) = OrderPlaced::from_json(&message.to_string()) else {
            anyhow::bail!("{message} was read")
        };
        Ok(error)
    };
    assert!(matches!(
        change("version", json!(2))?,
        NotAnOrderPlaced::Version(2)
    ));
    assert!(matches!(
        change("type", json!("order.cancelled"))?,
        NotAnOrderPlaced::Type
    ));
    assert!(matches!(
        change("id", json!("7"))?,
        NotAnOrderPlaced::Malformed(_)
    ));
    assert!(matches!(
        change("placed_at", json!("yesterday"))?,
        NotAnOrderPlaced::Malformed(_)
    ));
    let overflowing =
        json!({"lines": [{"sku": "a", "quantity": u64::MAX, "unit_price": 2}], "currency": "EUR"});
    assert!(matches!(
        change("order", overflowing)?,
        NotAnOrderPlaced::Malformed(_)
    ));
    assert!(matches!(
        OrderPlaced::from_json("poison"),
        Err(NotAnOrderPlaced::Malformed(_))
    ));
    Ok(())
}

#[test]
fn a_body_has_only_characters_that_sqs_takes() -> anyhow::Result<()> {
    let body = json!({
        "lines": [{"sku": "cup", "quantity": 1, "unit_price": 1}],
        "currency": "EUR",
        "reference": "\u{fffe}\u{ffff}\u{10ffff}",
    });
    let order = Order::parse(body.to_string().as_bytes())?;
    let placed = placed()?;
    let (client, placed_at) = (placed.client().clone(), placed.placed_at());
    let placed = OrderPlaced::new(placed.id(), client, placed_at, order);
    let body = placed.to_json();
    let allowed =
        |c| !matches!(c, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}');
    assert!(body.chars().all(allowed), "{body}");
    assert_eq!(OrderPlaced::from_json(&body)?, placed);
    Ok(())
}

#[test]
fn a_fingerprint_distinguishes_orders_and_not_their_spelling() -> anyhow::Result<()> {
    let check = |one: &str, other: &str, same: bool| -> anyhow::Result<()> {
        let of = |body: &str| anyhow::Ok(Fingerprint::of(&Order::parse(body.as_bytes())?));
        assert_eq!(of(one)? == of(other)?, same, "{one} {other}");
        Ok(())
    };
    let order = r#"{"lines":[{"sku":"a","quantity":1,"unit_price":2}],"currency":"EUR"}"#;
    check(
        order,
        r#" {"currency":"\u0045UR", "lines":[{"unit_price":2,"quantity":1,"sku":"a"}]}"#,
        true,
    )?;
    check(order, &order.replace("EUR", "USD"), false)?;
    check(order, &order.replace(":1", ":3"), false)?;
    check(order, &order.replace("}]", r#"}],"reference":"""#), false)
}

#[test]
fn a_row_is_read_as_it_was_written() -> anyhow::Result<()> {
    let placed = placed()?;
    let at = "2026-11-22T09:00:01.500Z".parse()?;
    let row = OrderRecord::new(placed, Outcome::Rejected(Reason::OutOfStock), at);
    let written = serde_json::to_value(&row)?;
    assert_eq!(
        (
            &written["status"],
            &written["reason"],
            &written["total"],
            &written["processed_at"]
        ),
        (
            &json!("rejected"),
            &json!("out_of_stock"),
            &json!(2500),
            &json!("2026-11-22T09:00:01.500Z")
        )
    );
    assert_eq!(serde_json::from_value::<OrderRecord>(written)?, row);
    Ok(())
}

#[test]
fn a_row_expires_by_its_outcome_and_not_by_its_message() -> anyhow::Result<()> {
    let mut message: Value = serde_json::from_str(&placed()?.to_json())?;
    message["expires_at"] = json!(1);
    let placed = OrderPlaced::from_json(&message.to_string())?;
    let at = "2026-11-22T09:00:01.500Z".parse()?;
    let row = OrderRecord::new(placed, Outcome::Confirmed, at);
    assert_eq!(serde_json::to_value(&row)?.get("expires_at"), None);
    for (days, expected) in [(30, 1_797_930_001_i64), (3650, 2_110_698_001)] {
        let row = row.clone().kept_for(Duration::from_hours(days * 24));
        let written = serde_json::to_value(&row)?;
        assert_eq!(written["expires_at"], json!(expected));
        assert_eq!(serde_json::from_value::<OrderRecord>(written)?, row);
    }
    Ok(())
}
