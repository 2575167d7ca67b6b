//! Checks that `openapi.yaml` describes this kind of order as the code treats it.

use crate::openapi::{at, schema};
use anyhow::{Context, Result};
use events::{
    Order, Outcome, Reason,
    order::{MAX_LINES, MAX_QUANTITY, MAX_TEXT, MAX_TOTAL, MAX_UNIT_PRICE, NotAnOrder, currency},
};
use jsonschema::Validator;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use std::sync::LazyLock;

static NEW_ORDER: LazyLock<Validator> =
    LazyLock::new(|| schema("NewOrder").expect("a test says why"));

#[test]
fn the_limits_are_those_of_the_code() -> Result<()> {
    let schemas = "/components/schemas";
    for (place, limit) in [
        ("NewOrder/properties/lines/minItems", 1),
        ("NewOrder/properties/lines/maxItems", MAX_LINES as u64),
        ("NewOrder/properties/reference/maxLength", MAX_TEXT as u64),
        ("NewLine/properties/sku/maxLength", MAX_TEXT as u64),
        ("NewLine/properties/quantity/minimum", 1),
        ("NewLine/properties/quantity/maximum", MAX_QUANTITY),
        ("NewLine/properties/unit_price/minimum", 0),
        ("NewLine/properties/unit_price/maximum", MAX_UNIT_PRICE),
    ] {
        assert_eq!(at(&format!("{schemas}/{place}"))?, limit, "{place}");
    }
    // A schema can't add up, so the text has this one.
    let text = at("/components/schemas/NewOrder/description")?;
    let text = text.as_str().context("no text")?;
    assert!(text.contains(&MAX_TOTAL.to_string()), "{text}");
    assert_eq!(
        at("/components/schemas/Currency/enum")?,
        &json!(currency::CODES[..])
    );
    Ok(())
}

#[test]
fn the_outcomes_are_those_of_the_code() -> Result<()> {
    // A new one must be added here, or this doesn't compile.
    let (outcomes, reasons) = match (Outcome::Failed, Reason::OutOfStock) {
        (
            Outcome::Confirmed | Outcome::Rejected(_) | Outcome::Failed,
            Reason::OutOfStock | Reason::UnknownArticle,
        ) => (
            ["confirmed", "rejected", "failed"],
            [Reason::OutOfStock, Reason::UnknownArticle],
        ),
    };
    let properties = "/components/schemas/Outcome/properties";
    for (name, values) in [("status", json!(outcomes)), ("reason", json!(reasons))] {
        let described = at(&format!("{properties}/{name}/x-extensible-enum"))?;
        assert_eq!(described, &values, "{name}");
    }

    let schema = schema("Outcome")?;
    let rejected = reasons.map(Outcome::Rejected);
    for outcome in rejected
        .iter()
        .chain(&[Outcome::Confirmed, Outcome::Failed])
    {
        let mut shown = json!({"id": "67f8288e-abae-8b7e-8a00-1a482d7756da", "total": 0,
            "processed_at": "2026-11-22T09:00:01.030Z"});
        for (name, value) in serde_json::to_value(outcome)?
            .as_object()
            .into_iter()
            .flatten()
        {
            shown[name] = value.clone();
        }
        assert!(schema.is_valid(&shown), "{shown}");
        // Only the text says that only rejections have a reason: generators drop members where a schema says it.
        let is_rejected = shown["status"] == "rejected";
        assert_eq!(shown.get("reason").is_some(), is_rejected, "{shown}");
        // A client built from this description accepts the answers of a later version.
        shown["status"] = json!("delivered");
        shown["reason"] = json!("too_late");
        assert!(schema.is_valid(&shown), "{shown}");
    }
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._-]{0,66}",
        "[ -~]{0,66}",
        "\\PC{0,66}",
        select(vec![
            "", "a\n", "\u{7f}", "\u{85}", "\u{fffd}", "\u{2028}", "EUR", "XXX"
        ])
        .prop_map(str::to_owned),
    ]
}

/// A value that a member may or may not have. Numbers without a fraction are written as integers: to a schema, 1.0 is an
/// integer, but the code refuses it.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(vec![
            0,
            1,
            50,
            1_000_000,
            1_000_001,
            1_000_000_000_000,
            1_000_000_000_001
        ])
        .prop_map(|number: i64| number.into()),
        select(vec![
            json!(null),
            json!(true),
            json!(1.5),
            json!([]),
            json!({}),
            json!([{}])
        ]),
    ]
}

prop_compose! {
    fn line()(
        sku in "[A-Za-z0-9._-]{1,64}", quantity in 1..=MAX_QUANTITY, unit_price in 0..=MAX_UNIT_PRICE,
    ) -> Value {
        json!({"sku": sku, "quantity": quantity, "unit_price": unit_price})
    }
}

prop_compose! {
    /// An order that is valid or has one fault.
    fn order()(
        lines in vec(line(), 0..=MAX_LINES + 1),
        currency in select(&currency::CODES[..]),
        reference in option::of("[^\\p{Cc}\u{fffd}]{0,64}"),
        change in option::of((select(vec!["lines", "currency", "reference", "total"]), odd())),
        line_change in option::of((select(vec!["sku", "quantity", "unit_price", "total"]), odd())),
        gone in option::of(select(vec!["lines", "currency"])),
    ) -> Value {
        let mut order = json!({"lines": lines, "currency": currency});
        if let Some(reference) = reference {
            order["reference"] = reference.into();
        }
        if let (Some((name, value)), Some(line)) = (line_change, order["lines"].get_mut(0)) {
            line[name] = value;
        }
        if let Some((name, value)) = change {
            order[name] = value;
        }
        if let (Some(name), Some(order)) = (gone, order.as_object_mut()) {
            order.remove(name);
        }
        order
    }
}

proptest! {
    #[test]
    fn the_schema_takes_the_orders_that_the_code_takes(order in order()) {
        let expected = match Order::parse(order.to_string().as_bytes()) {
            Ok(_) => true,
            // A schema can't add up.
            Err(NotAnOrder::Invalid(violations)) => {
                violations.iter().all(|violation| violation.detail.contains("total must be"))
            }
            Err(NotAnOrder::NotJson(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(NEW_ORDER.is_valid(&order), expected, "{}", order);
    }
}
