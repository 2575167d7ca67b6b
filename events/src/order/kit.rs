//! For tests: orders by their claims, and the rows of what they claim.

mod rows;

pub use rows::*;

use super::{MAX_LINES, MAX_QUANTITY, MAX_TEXT, MAX_UNIT_PRICE, Order, Reason, currency};
use serde_json::{Value, json};

/// A tag with each kind of letter that one may have.
pub const ODD_TAG: &str = "März ✓";
/// Text of the samples' orders that no log line may have.
pub const PRIVATE: [&str; 2] = ["PO-2026-1187", "unit_price"];
/// The names of the document's members, for fuzzing.
pub const NAMES: [&str; 6] = [
    "lines",
    "sku",
    "quantity",
    "unit_price",
    "currency",
    "reference",
];
/// Texts that have a meaning in the document, or nearly have one, for fuzzing.
pub const TEXTS: [&str; 4] = ["EUR", "JPY", "eur", "XXX"];

/// Returns a client's document that claims these amounts of these keys. Even claims that the API refuses get a document.
pub fn document_of(claims: &[(&str, u64)]) -> Value {
    let line =
        |(key, amount): &(&str, u64)| json!({"sku": key, "quantity": amount, "unit_price": 1});
    let lines: Vec<_> = claims.iter().map(line).collect();
    json!({"lines": lines, "currency": "EUR"})
}

/// Gives a document a tag, which its row and its event show.
pub fn tagged(mut document: Value, tag: &str) -> Value {
    document["reference"] = tag.into();
    document
}

/// Returns an order's tag, if it has one.
pub fn tag_of(order: &Order) -> Option<&str> {
    order.reference()
}

/// Returns whether an order may have been rejected for this reason, if `left` returns how much of each key is left, and none was
/// ever added. `None`: the key has no row.
pub fn may_reject(order: &Order, reason: Reason, left: impl Fn(&str) -> Option<i64>) -> bool {
    order
        .claims()
        .into_iter()
        .any(|(key, amount)| match reason {
            Reason::OutOfStock => {
                left(key).is_some_and(|left| i128::from(left) < i128::from(amount))
            }
            Reason::UnknownArticle => left(key).is_none(),
        })
}

/// Checks that an accepted order keeps the rules of the API, written a second time.
///
/// # Panics
///
/// If it breaks one.
pub fn check(order: &Order) {
    let mut total = 0_u128;
    assert!((1..=50).contains(&order.lines().len()));
    for line in order.lines() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!(
            (1..=64).contains(&line.sku().len()) && line.sku().bytes().all(allowed),
            "{line:?}"
        );
        assert!(
            (1..=1_000_000).contains(&line.quantity()) && line.unit_price() <= 1_000_000_000_000,
            "{line:?}"
        );
        total += u128::from(line.quantity()) * u128::from(line.unit_price());
    }
    assert!(
        total < 1 << 53 && u128::from(order.total()) == total,
        "{order:?}"
    );
    assert!(currency::CODES.contains(&order.currency()), "{order:?}");
    let text = order.reference().unwrap_or_default();
    let forbidden = |c: char| c.is_control() || c == '\u{fffd}';
    assert!(
        text.chars().count() <= 64 && !text.chars().any(forbidden),
        "{text:?}"
    );
}

/// Returns an order with these claims, read as from the queue: no limit of the API is checked.
///
/// # Panics
///
/// If a sum overflows.
pub fn order_of(claims: &[(&str, u64)]) -> Order {
    serde_json::from_value(document_of(claims)).expect("no sum overflows")
}

/// Returns documents that break rules of the API, each with the pointers of its violations.
pub fn invalid() -> Vec<(String, Vec<&'static str>)> {
    let good = || document_of(&[("a", 1)]);
    let with = |path: &str, value: Value| {
        let mut document = good();
        match document.pointer_mut(path) {
            Some(member) => *member = value,
            None => document[path.trim_start_matches('/')] = value,
        }
        document.to_string()
    };
    let line = good()["lines"][0].clone();
    let price_too_high = json!(MAX_UNIT_PRICE + 1);
    let total_too_high =
        json!([{"sku": "a", "quantity": MAX_QUANTITY, "unit_price": MAX_UNIT_PRICE}]);
    let mut cases = vec![
        (
            r#"{"lines":[{"sku":"a b","quantity":0,"unit_price":"1"},{"sku":"a","qty":1,"unit_price":1,"unit_price":1}],
                "currency":"eur","reference":"a\nb","a/b":1}"#
                .to_owned(),
            vec![
                "/a~1b",
                "/lines/0/sku",
                "/lines/0/quantity",
                "/lines/0/unit_price",
                "/lines/1/qty",
                "/lines/1/unit_price",
                "/lines/1/quantity",
                "/currency",
                "/reference",
            ],
        ),
        ("null".to_owned(), vec![""]),
        ("[]".to_owned(), vec![""]),
        (with("/lines", json!(vec![line; MAX_LINES + 1])), vec!["/lines"]),
        (with("/lines", total_too_high), vec!["/lines"]),
        (
            good().to_string().replacen('{', r#"{"currency":"EUR","#, 1),
            vec!["/currency"],
        ),
        (
            format!(
                r#"{{"lines":{}{},"currency":"EUR"}}"#,
                "[".repeat(60_000),
                "]".repeat(60_000)
            ),
            vec!["/lines/0"],
        ),
    ];
    let too_long = "x".repeat(MAX_TEXT + 1);
    for (path, value) in [
        ("/lines", json!([])),
        ("/lines/0", json!("cup")),
        ("/lines/0/sku", json!("")),
        ("/lines/0/sku", json!(too_long)),
        ("/lines/0/sku", json!("ä")),
        ("/lines/0/quantity", json!(0)),
        ("/lines/0/quantity", json!(MAX_QUANTITY + 1)),
        ("/lines/0/quantity", json!(1.5)),
        ("/lines/0/quantity", json!("1")),
        ("/lines/0/unit_price", json!(-1)),
        ("/lines/0/unit_price", price_too_high),
        ("/currency", json!("EURO")),
        ("/currency", json!("XQZ")),
        ("/reference", json!(too_long)),
        ("/reference", json!("\u{1}")),
        ("/note", json!(1)),
    ] {
        cases.push((with(path, value), vec![path]));
    }
    cases
}
