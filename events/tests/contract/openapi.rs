//! Checks that `openapi.yaml` is whole, and describes what is the same for every kind of order as the code treats it.

use anyhow::{Context, Result, ensure};
use events::{
    IdempotencyKey, Order, openapi::JSON, order::MAX_ORDER_BYTES, violation::MAX_VIOLATIONS,
};
use jsonschema::{Draft, Validator};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, sync::LazyLock};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(JSON).expect("build.rs writes JSON"));
static KEY: LazyLock<Validator> =
    LazyLock::new(|| schema("IdempotencyKey").expect("a test says why"));

/// Returns a schema of the document, by its name.
pub fn schema(name: &str) -> Result<Validator> {
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

/// Returns what the document has at a JSON pointer.
pub fn at(pointer: &str) -> Result<&'static Value> {
    let document: &'static Value = &DOCUMENT;
    document
        .pointer(pointer)
        .with_context(|| format!("nothing at {pointer}"))
}

#[test]
fn the_limits_are_those_of_the_code() -> Result<()> {
    let violations = at("/components/schemas/Violations/maxItems")?;
    assert_eq!(violations, MAX_VIOLATIONS);
    for path in ["/paths/~1orders", "/paths/~1orders~1batch"] {
        let text = at(&format!("{path}/post/requestBody/description"))?;
        let text = text.as_str().context("no text")?;
        let mut words = text.split(|char: char| !char.is_ascii_alphanumeric());
        assert!(
            words.any(|word| word == MAX_ORDER_BYTES.to_string()),
            "{text}"
        );
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
        assert_eq!(schema("NewOrder")?.is_valid(&sent), expected, "{name}");
        assert_eq!(Order::parse(sent.to_string().as_bytes()).is_ok(), expected);
    }
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

proptest! {
    #[test]
    fn the_schema_takes_the_keys_that_the_code_takes(
        key in prop_oneof!["[!-~]{0,3}", "[+-.]{1,3}", "[!-~]{253,257}", "\\PC{0,3}", any::<String>()],
    ) {
        let expected = IdempotencyKey::new(&key).is_ok();
        prop_assert_eq!(KEY.is_valid(&json!(key)), expected);
    }
}
