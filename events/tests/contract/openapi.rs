//! Checks that `openapi.yaml` describes orders as the code treats them.

use anyhow::{Context, Result, ensure};
use events::{
    IdempotencyKey, Order, Outcome, Reason, currency,
    openapi::JSON,
    order::{
        MAX_LINES, MAX_ORDER_BYTES, MAX_QUANTITY, MAX_TEXT, MAX_TOTAL, MAX_UNIT_PRICE, NotAnOrder,
    },
    violation::MAX_VIOLATIONS,
};
use jsonschema::{Draft, Validator};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, sync::LazyLock};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(JSON).expect("build.rs writes JSON"));
static NEW_ORDER: LazyLock<Validator> =
    LazyLock::new(|| schema("NewOrder").expect("a test says why"));
static KEY: LazyLock<Validator> =
    LazyLock::new(|| schema("IdempotencyKey").expect("a test says why"));

/// Returns a schema of the document, by its name.
fn schema(name: &str) -> Result<Validator> {
    ensure!(
        !DOCUMENT["components"]["schemas"][name].is_null(),
        "there is no schema {name}"
    );
    let schema = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": DOCUMENT["components"],
    });
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    let validator = options.should_validate_formats(true).build(&schema);
    validator.map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

fn at(pointer: &str) -> Result<&'static Value> {
    let document: &'static Value = &DOCUMENT;
    document
        .pointer(pointer)
        .with_context(|| format!("nothing at {pointer}"))
}

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
        ("Violations/maxItems", MAX_VIOLATIONS as u64),
    ] {
        assert_eq!(at(&format!("{schemas}/{place}"))?, limit, "{place}");
    }
    // These rules can't be expressed in a schema, so the text has them.
    for (place, limit) in [
        (
            "/components/schemas/NewOrder/description",
            MAX_TOTAL.to_string(),
        ),
        (
            "/paths/~1orders/post/requestBody/description",
            MAX_ORDER_BYTES.to_string(),
        ),
        (
            "/paths/~1orders~1batch/post/requestBody/description",
            MAX_ORDER_BYTES.to_string(),
        ),
    ] {
        let text = at(place)?.as_str().context("no text")?;
        let mut words = text.split(|char: char| !char.is_ascii_alphanumeric());
        assert!(words.any(|word| word == limit), "{text} lacks {limit}");
    }
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

#[test]
fn the_version_is_the_workspaces() -> Result<()> {
    assert_eq!(at("/info/version")?, env!("CARGO_PKG_VERSION"));
    Ok(())
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_one() -> Result<()> {
    fn walk<'d>(value: &'d Value, found: &mut BTreeSet<&'d str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut references = BTreeSet::new();
    walk(&DOCUMENT, &mut references);
    for reference in &references {
        at(reference
            .strip_prefix('#')
            .context("not of this document")?)?;
    }
    for name in at("/components/schemas")?
        .as_object()
        .context("no schemas")?
        .keys()
    {
        schema(name)?;
        let reference = format!("#/components/schemas/{name}");
        assert!(references.contains(&*reference), "nothing uses {name}");
    }
    Ok(())
}

#[test]
fn each_example_is_valid_by_the_schema_of_its_name() -> Result<()> {
    for (name, example) in at("/components/examples")?.as_object().context("none")? {
        let schema = schema(name)?;
        let errors: Vec<_> = schema.iter_errors(&example["value"]).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    Ok(())
}

#[test]
fn a_sample_is_valid_by_the_schema_if_it_is_by_the_code() -> Result<()> {
    let body = |name: &str| {
        let sample: Value = serde_json::from_str(&fs::read_to_string(name)?)?;
        let body = sample["body"].as_str().context("no body")?.to_owned();
        anyhow::Ok(serde_json::from_str::<Value>(&body)?)
    };
    for (name, expected) in [
        ("order.json", true),
        ("idempotent-order.json", true),
        ("order-http-api.json", true),
        ("order-function-url.json", true),
        ("invalid-order.json", false),
    ] {
        let sent = body(name)?;
        assert_eq!(NEW_ORDER.is_valid(&sent), expected, "{name}");
        assert_eq!(Order::parse(sent.to_string().as_bytes()).is_ok(), expected);
    }
    assert_eq!(
        at("/components/examples/NewOrder/value")?,
        &body("order.json")?
    );
    // Some of its entries are invalid on purpose.
    let batch = body("batch-request.json")?;
    assert!(!schema("NewOrders")?.is_valid(&batch));
    let entry = schema("NewEntry")?;
    let entries = batch["orders"].as_array().context("no orders")?;
    let verdicts: Vec<_> = entries.iter().map(|sent| entry.is_valid(sent)).collect();
    assert_eq!(verdicts, [true, false, true, false, false, true]);
    for name in ["order-confirmed", "order-rejected", "order-failed"] {
        let text = fs::read_to_string(format!("{name}.json"))?;
        let event: Value = serde_json::from_str(&text)?;
        assert!(schema("Outcome")?.is_valid(&event["detail"]), "{name}");
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

    #[test]
    fn the_schema_takes_the_keys_that_the_code_takes(
        key in prop_oneof!["[!-~]{0,3}", "[+-.]{1,3}", "[!-~]{253,257}", "\\PC{0,3}", any::<String>()],
    ) {
        let expected = IdempotencyKey::new(&key).is_ok();
        prop_assert_eq!(KEY.is_valid(&json!(key)), expected);
    }
}
