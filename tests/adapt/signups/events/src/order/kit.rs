//! For tests: orders by their claims, and the rows of what they claim. Here no order claims anything, so each is confirmed.

mod rows;

pub use rows::*;

use super::{MAX_GUESTS, MAX_TEXT, Order, Reason};
use serde_json::{Value, json};

/// A tag with each kind of letter that one may have.
pub const ODD_TAG: &str = "März ✓";
/// Text of the samples' orders that no log line may have.
pub const PRIVATE: [&str; 2] = ["open-day", "\"guests\""];
/// The names of the document's members, for fuzzing.
pub const NAMES: [&str; 3] = ["event", "guests", "name"];
/// Texts that have a meaning in the document, or nearly have one, for fuzzing.
pub const TEXTS: [&str; 2] = ["open-day", "Ann"];

/// Returns a client's document, another one for other claims.
pub fn document_of(claims: &[(&str, u64)]) -> Value {
    let event = claims.first().map_or("none", |(key, _)| key);
    let guests: u64 = claims.iter().map(|(_, amount)| amount).sum();
    json!({"event": event, "guests": guests})
}

/// Gives a document a tag, which its row and its event show.
pub fn tagged(mut document: Value, tag: &str) -> Value {
    document["name"] = tag.into();
    document
}

/// Returns an order's tag, if it has one.
pub fn tag_of(order: &Order) -> Option<&str> {
    order.name()
}

/// Sign-ups have no reason for a rejection, so nothing calls this.
pub fn may_reject(_: &Order, reason: Reason, _: impl Fn(&str) -> Option<i64>) -> bool {
    match reason {}
}

/// Checks that an accepted order keeps the rules of the API, written a second time.
///
/// # Panics
///
/// If it breaks one.
pub fn check(order: &Order) {
    assert!(order.guests() <= 1_000_000, "{order:?}");
    for text in [order.event(), order.name().unwrap_or("none")] {
        assert!((1..=100).contains(&text.chars().count()), "{text:?}");
        assert!(
            !text.chars().any(|c| c.is_control() || c == '\u{fffd}'),
            "{text:?}"
        );
    }
}

/// Returns an order with these claims, read as from the queue: no limit of the API is checked.
///
/// # Panics
///
/// If a sum overflows.
pub fn order_of(claims: &[(&str, u64)]) -> Order {
    serde_json::from_value(document_of(claims)).expect("it has every field")
}

/// Returns documents that break rules of the API, each with the pointers of its violations.
pub fn invalid() -> Vec<(String, Vec<&'static str>)> {
    let too_long = "x".repeat(MAX_TEXT + 1);
    let cases = [
        (json!(null), vec![""]),
        (json!([]), vec![""]),
        (json!({}), vec!["/event", "/guests"]),
        (json!({"event": "", "guests": 0}), vec!["/event"]),
        (json!({"event": too_long, "guests": 0}), vec!["/event"]),
        (json!({"event": "a", "guests": -1}), vec!["/guests"]),
        (
            json!({"event": "a", "guests": MAX_GUESTS + 1}),
            vec!["/guests"],
        ),
        (
            json!({"event": "a", "guests": 1, "name": "a\nb"}),
            vec!["/name"],
        ),
        (
            json!({"event": 1, "guests": "1", "a/b": 1}),
            vec!["/a~1b", "/event", "/guests"],
        ),
    ];
    cases
        .map(|(document, pointers)| (document.to_string(), pointers))
        .to_vec()
}
