//! Any JSON that a client posts is an order or gets a 4xx: never a 5xx, never a panic.

use crate::faked::{answering, config, ingest};
use aws_types::SdkConfig;
use events::Order;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeSet};
use tokio::runtime::{Builder, Runtime};

/// Posts a body, and returns the status of the answer.
fn post(runtime: &Runtime, config: &SdkConfig, body: &str) -> u16 {
    let headers = json!({"content-type": "application/json"});
    let context = json!({"httpMethod": "POST"});
    let event =
        json!({"httpMethod": "POST", "headers": headers, "body": body, "requestContext": context});
    let answer = runtime.block_on(ingest(&event, config));
    answer.expect("an answer").status
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An order with any JSON in one of its members, or unchanged.
fn almost_an_order() -> impl Strategy<Value = Value> {
    let places = [
        "/lines",
        "/lines/0",
        "/lines/0/sku",
        "/lines/0/quantity",
        "/lines/0/unit_price",
        "/currency",
        "/reference",
    ];
    let change = (prop::sample::select(places.to_vec()), any_json());
    proptest::option::of(change).prop_map(|change| {
        let line = json!({"sku": "cup", "quantity": 2, "unit_price": 1250});
        let mut order = json!({"lines": [line], "currency": "EUR", "reference": "A-1"});
        if let Some((place, value)) = change {
            *order.pointer_mut(place).expect("it is there") = value;
        }
        order
    })
}

#[test]
fn any_json_gets_a_4xx_or_is_an_order() {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let config = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    let statuses = RefCell::new(BTreeSet::new());
    let values = prop_oneof![any_json(), almost_an_order()];
    let checked = TestRunner::default().run(&values, |value| {
        let body = value.to_string();
        let status = post(&runtime, &config, &body);
        statuses.borrow_mut().insert(status);
        let is_order = Order::parse(body.as_bytes()).is_ok();
        prop_assert_eq!(status, if is_order { 202 } else { 422 }, "{}", body);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(statuses.into_inner(), BTreeSet::from([202, 422]));
}
