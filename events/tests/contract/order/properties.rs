//! What holds for any JSON, any bytes and any order.

use events::{
    Order,
    order::{MAX_TOTAL, NotAnOrder},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("lines".to_owned()),
        Just("sku".to_owned()),
        Just("quantity".to_owned()),
        Just("unit_price".to_owned()),
        Just("currency".to_owned()),
        Just("reference".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("EUR")),
        (1..9_u8).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_order()(
        lines in vec(("[A-Za-z0-9._-]{1,64}", 1..=1_000_000_u64, 0..=1_000_000_u64), 1..=50),
        currency in prop::sample::select(vec!["EUR", "JPY", "USD"]),
        reference in proptest::option::of("[^\\p{Cc}\u{fffd}]{0,64}"),
    ) -> Value {
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(sku, quantity, unit_price)| json!({"sku": sku, "quantity": quantity, "unit_price": unit_price}))
            .collect();
        let mut order = json!({"lines": lines, "currency": currency});
        if let Some(reference) = reference {
            order["reference"] = reference.into();
        }
        order
    }
}

proptest! {
    #[test]
    fn any_json_is_an_order_or_has_faults(value in any_json()) {
        match Order::parse(value.to_string().as_bytes()) {
            Ok(order) => prop_assert!(order.total() <= MAX_TOTAL),
            Err(NotAnOrder::Invalid(violations)) => prop_assert!(!violations.is_empty()),
            Err(NotAnOrder::NotJson(error)) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn any_bytes_are_judged(body: Vec<u8>) {
        let _judged = Order::parse(&body);
    }

    #[test]
    fn what_keeps_the_rules_is_an_order_and_is_stored_unchanged(sent in any_order()) {
        let order = Order::parse(sent.to_string().as_bytes()).expect("keeps the rules");
        let stored = serde_json::to_string(&order).expect("is JSON");
        prop_assert_eq!(&serde_json::from_str::<Value>(&stored).expect("is JSON"), &sent);
        prop_assert_eq!(serde_json::from_str::<Order>(&stored).expect("is stored"), order);
    }
}
