//! The row that `process` writes, as `status` reads it.

use events::{OrderPlaced, OrderRecord, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

/// A message with a field of a later version at each place, and one of each kind of JSON value.
fn later() -> serde_json::Result<OrderPlaced> {
    let mut message: Value = serde_json::from_str(include_str!("../../events/order-placed.json"))?;
    let later = json!({"a": [1, -2, 0.5, true, null, "text", {}], "b": u64::MAX});
    for place in ["", "/order", "/order/lines/0"] {
        message.pointer_mut(place).expect("it is in the sample")["later"] = later.clone();
    }
    Ok(OrderPlaced::from_json(&message.to_string()).expect("it can be read"))
}

#[test]
fn a_row_with_fields_of_a_later_version_is_read_as_it_was_written() -> anyhow::Result<()> {
    let row = OrderRecord::new(
        later()?,
        Outcome::Confirmed,
        "2026-11-22T09:00:01Z".parse()?,
    );
    for row in [row.clone(), row.kept_for(Duration::from_hours(30 * 24))] {
        let item: serde_dynamo::Item = serde_dynamo::to_item(&row)?;
        assert_eq!(serde_dynamo::from_item::<_, OrderRecord>(item)?, row);
    }
    Ok(())
}
