//! Bookings, and what is wrong with others.

use crate::openapi::schema;
use anyhow::Result;
use events::{Order, order::NotAnOrder, violation::Pointer};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json, value::RawValue};

#[test]
fn seats_of_one_class_add_up_under_one_key() -> Result<()> {
    let order = Order::parse(
        br#"{"booking":"B-1","seats":[{"show":"hamlet","class":"stalls","count":2},{"count":1,"show":"hamlet"},
            {"show":"hamlet","class":"stalls","count":3}]}"#,
    )?;
    let claims: Vec<_> = order.claims().into_iter().collect();
    assert_eq!(claims, [("hamlet", 1), ("hamlet/stalls", 5)]);
    assert_eq!((order.count(), order.booking()), (6, Some("B-1")));
    let stored: Order = serde_json::from_str(&serde_json::to_string(&order)?)?;
    assert_eq!(stored, order);
    Ok(())
}

#[test]
fn each_fault_has_its_pointer() -> Result<()> {
    let body: &RawValue = serde_json::from_str(
        r#"{"seats":[{"show":"","class":"a/b","count":0},{"show":"a","cuont":1}],"booking":"x y","name":1}"#,
    )?;
    let found = Order::from_json(body, &Pointer::Root).expect_err("it has violations");
    let pointers: Vec<_> = found.iter().map(|violation| &*violation.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/name",
            "/seats/0/show",
            "/seats/0/class",
            "/seats/0/count",
            "/seats/1/cuont",
            "/seats/1/count",
            "/booking"
        ]
    );
    Ok(())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9._-]{1,64}", "[ -~]{0,66}", "\\PC{0,4}"]
}

prop_compose! {
    fn seats()(show in name(), class in option::of(name()), count in 0..3_u64) -> Value {
        json!({"show": show, "class": class, "count": count})
    }
}

proptest! {
    #[test]
    fn the_schema_takes_the_orders_that_the_code_takes(
        seats in vec(seats(), 0..52), booking in option::of(name()),
    ) {
        let order = json!({"seats": seats, "booking": booking});
        let expected = match Order::parse(order.to_string().as_bytes()) {
            Ok(_) => true,
            Err(NotAnOrder::Invalid(_)) => false,
            Err(NotAnOrder::NotJson(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        let schema = schema("NewOrder").expect("a test says why");
        prop_assert_eq!(schema.is_valid(&order), expected, "{}", order);
    }
}
