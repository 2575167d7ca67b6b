//! Tests old readers with new writers, and the reverse: `sam deploy` updates the functions in no fixed sequence, while
//! messages wait on the queue.

use events::{OrderPlaced, OrderRecord, Outcome, order::Summary};
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../../order-placed.json");

/// Messages that this version's reader may meet. Each comes from a writer of version 1, which may add fields but not change
/// the meaning of existing ones.
fn writers() -> anyhow::Result<Vec<Value>> {
    let this: Value = serde_json::from_str(SAMPLE)?;
    let mut writers = vec![this.clone()];
    for added in [
        json!("text"),
        json!(9_007_199_254_740_993_u64),
        json!(-0.25),
        json!(true),
        json!(null),
        json!({"a": [1, {"b": null}]}),
        json!([]),
    ] {
        for place in places(&this) {
            let mut later = this.clone();
            later.pointer_mut(&place).expect("it is in the sample")["later"] = added.clone();
            writers.push(later);
        }
    }
    Ok(writers)
}

/// Returns the pointers of the objects in a document.
fn places(document: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.push(at.to_owned());
                for (name, value) in members {
                    walk(value, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (n, value) in items.iter().enumerate() {
                    walk(value, &format!("{at}/{n}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = vec![];
    walk(document, "", &mut found);
    found
}

#[test]
fn every_field_of_a_message_reaches_the_row() -> anyhow::Result<()> {
    for message in writers()? {
        let placed = OrderPlaced::from_json(&message.to_string())?;
        assert_eq!(serde_json::from_str::<Value>(&placed.to_json())?, message);

        let summary = serde_json::to_value(placed.order().summary())?;
        let row = OrderRecord::new(placed, Outcome::Confirmed, "2026-11-22T09:00:01Z".parse()?);
        let written = serde_json::to_value(&row)?;
        let mut expected = message.clone();
        let fields = expected.as_object_mut().expect("a message is an object");
        fields.retain(|name, _| !["type", "version"].contains(&name.as_str()));
        fields.extend([
            ("status".to_owned(), json!("confirmed")),
            ("processed_at".to_owned(), json!("2026-11-22T09:00:01.000Z")),
        ]);
        fields.extend(summary.as_object().cloned().unwrap_or_default());
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<OrderRecord>(written)?, row);
    }
    Ok(())
}

#[test]
fn a_number_of_a_later_version_keeps_its_digits() -> anyhow::Result<()> {
    for number in [
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999999999999999999999",
        "0.1234567890123456789",
        "1.50",
        "1e999",
    ] {
        let sample: Value = serde_json::from_str(SAMPLE)?;
        for place in places(&sample) {
            let mut later = sample.clone();
            later.pointer_mut(&place).expect("it is in the sample")["later"] =
                json!([{"n": "here"}]);
            let message = later.to_string().replace("\"here\"", number);
            let kept = OrderPlaced::from_json(&message)?.to_json();
            assert!(
                kept.contains(&format!(r#""later":[{{"n":{number}}}]"#)),
                "{kept}"
            );
            assert_eq!(
                OrderPlaced::from_json(&kept)?,
                OrderPlaced::from_json(&message)?
            );
        }
    }
    Ok(())
}

#[test]
fn the_fingerprint_is_the_writers() -> anyhow::Result<()> {
    // A retry that an earlier version accepted is the same order, whatever fingerprint this version would compute.
    for mut message in writers()? {
        message["fingerprint"] = json!("another way to compute it");
        let placed = OrderPlaced::from_json(&message.to_string())?;
        assert_eq!(placed.fingerprint().as_str(), "another way to compute it");
    }
    Ok(())
}

#[test]
fn no_field_of_a_message_takes_the_place_of_an_attribute_of_the_row() -> anyhow::Result<()> {
    let mut message: Value = serde_json::from_str(SAMPLE)?;
    let own = ["status", "reason", "processed_at"];
    for attribute in own.iter().chain(&Summary::FIELDS) {
        message[*attribute] = json!("from the message");
    }
    let placed = OrderPlaced::from_json(&message.to_string())?;
    let row = OrderRecord::new(placed, Outcome::Confirmed, "2026-11-22T09:00:01Z".parse()?);
    let row = serde_json::to_value(row)?;
    assert!(!row.to_string().contains("from the message"), "{row}");
    assert_eq!(row["status"], "confirmed");
    Ok(())
}

#[test]
fn a_row_of_a_later_version_is_read() -> anyhow::Result<()> {
    let placed = OrderPlaced::from_json(SAMPLE)?;
    let row = OrderRecord::new(placed, Outcome::Failed, "2026-11-22T09:00:01Z".parse()?);
    let mut written = serde_json::to_value(&row)?;
    written["later"] = json!(1);
    let read: OrderRecord = serde_json::from_value(written.clone())?;
    assert_eq!((read.outcome, &read.order), (row.outcome, &row.order));
    assert_eq!(serde_json::to_value(read)?, written);
    Ok(())
}
