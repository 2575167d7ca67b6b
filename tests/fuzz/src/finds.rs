//! Inputs that fuzzing found, kept in plain form: each of them once broke a rule that every target checks.

use crate::{answers, functions, samples, tally::Tally};
use serde_json::{Value, json};

/// Checks the answer to an order sample with one value changed.
fn check(place: &str, value: Value, expected: &str) {
    let mut event = samples::PLACE[0].clone();
    let (parent, member) = place.rsplit_once('/').expect("a pointer");
    event.pointer_mut(parent).expect("it is there")[member] = value;
    let mut tally = Tally::default();
    functions::with(|functions| answers::accept(functions, functions::read(&event), &mut tally));
    tally.must_have(&[expected]);
}

#[test]
fn a_field_with_control_characters_in_its_name_is_not_repeated() {
    for name in ["\u{7f}", "\u{9b}2J", "\u{85}"] {
        let body = json!({ name: 1 }).to_string();
        check("/body", body.into(), "422 invalid-order");
    }
}

#[test]
fn an_order_fits_the_queue_whatever_its_client_is_called() {
    let name = "\u{1}".repeat(50_000);
    check(
        "/requestContext/identity/apiKeyId",
        name.clone().into(),
        "202",
    );
    check(
        "/requestContext/authorizer",
        json!({"principalId": name}),
        "202",
    );
}

#[test]
fn a_location_fits_a_header_however_many_slashes_the_path_has() {
    for slashes in [16, 17, 80, 10_000, 50_000] {
        let path = format!("/orders{}", "/".repeat(slashes));
        check("/path", path.into(), "202");
    }
}
