//! The queue message and the table row, and the versions that can read them.

use events::{Fingerprint, Order, OrderPlaced, OrderRecord, Outcome, placed::NotAnOrderPlaced};
use serde_json::{Value, json};
use std::time::Duration;

fn placed() -> anyhow::Result<OrderPlaced> {
    Ok(OrderPlaced::from_json(include_str!(
        "../../order-placed.json"
    ))?)
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
    let read = OrderPlaced::from_json(&message.to_string())?;
    assert_eq!(serde_json::from_str::<Value>(&read.to_json())?, message);
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
    assert!(matches!(
        change("order", json!(7))?,
        NotAnOrderPlaced::Malformed(_)
    ));
    // A message of another type or version may have other fields, too.
    for (r#type, version, expected) in [
        ("order.placed", 2, "its version is 2, not 1"),
        ("order.cancelled", 1, "its type is not order.placed"),
    ] {
        let message = json!({"type": r#type, "version": version, "order": 7}).to_string();
        let error = OrderPlaced::from_json(&message).expect_err("it isn't one");
        assert_eq!(error.to_string(), expected);
    }
    assert!(matches!(
        OrderPlaced::from_json("poison"),
        Err(NotAnOrderPlaced::Malformed(_))
    ));
    Ok(())
}

#[test]
fn a_body_has_only_characters_that_sqs_takes() -> anyhow::Result<()> {
    let mut message: Value = serde_json::from_str(&placed()?.to_json())?;
    message["order"]["later"] = json!("\u{fffe}\u{ffff}\u{10ffff}");
    let placed = OrderPlaced::from_json(&message.to_string())?;
    let body = placed.to_json();
    let allowed =
        |c| !matches!(c, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}');
    assert!(body.chars().all(allowed), "{body}");
    assert_eq!(OrderPlaced::from_json(&body)?, placed);
    Ok(())
}

#[test]
fn a_fingerprint_does_not_depend_on_white_space_or_the_sequence_of_members() -> anyhow::Result<()> {
    let placed = placed()?;
    let order: Value = serde_json::to_value(placed.order())?;
    // The members of a `Value` are sorted by name.
    let spelt = Order::parse(format!(" {order:#}").as_bytes())?;
    assert_eq!(&Fingerprint::of(&spelt), placed.fingerprint());
    Ok(())
}

#[test]
fn a_row_is_read_as_it_was_written() -> anyhow::Result<()> {
    let placed = placed()?;
    let at = "2026-11-22T09:00:01.500Z".parse()?;
    let row = OrderRecord::new(placed, Outcome::Confirmed, at);
    let written = serde_json::to_value(&row)?;
    assert_eq!(written["status"], "confirmed");
    assert_eq!(written["processed_at"], "2026-11-22T09:00:01.500Z");
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
