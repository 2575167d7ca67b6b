//! Sign-ups, and what is wrong with others.

use crate::openapi::schema;
use anyhow::Result;
use events::{Order, order::NotAnOrder};
use proptest::{option, prelude::*};
use serde_json::json;

#[test]
fn a_sign_up_claims_nothing_and_is_stored_as_it_was_sent() -> Result<()> {
    let sent = r#"{"event":"open-day","guests":2,"name":"Ann"}"#;
    let order = Order::parse(sent.as_bytes())?;
    assert!(order.claims().is_empty());
    assert_eq!(
        (order.event(), order.guests(), order.name()),
        ("open-day", 2, Some("Ann"))
    );
    assert_eq!(serde_json::to_string(&order)?, sent);
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,102}", "[ -~\\n\u{85}\u{fffd}]{0,3}"]
}

proptest! {
    #[test]
    fn the_schema_takes_the_orders_that_the_code_takes(
        event in text(), guests in -1..3_i64, name in option::of(text()),
    ) {
        let order = json!({"event": event, "guests": guests, "name": name});
        let expected = match Order::parse(order.to_string().as_bytes()) {
            Ok(_) => true,
            Err(NotAnOrder::Invalid(_)) => false,
            Err(NotAnOrder::NotJson(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        let schema = schema("NewOrder").expect("a test says why");
        prop_assert_eq!(schema.is_valid(&order), expected, "{}", order);
    }
}
