//! For tests: orders by their claims, and the rows of what they claim.

mod rows;

pub use rows::*;

use super::{MAX_COUNT, MAX_NAME, MAX_SEATS, Order, Reason};
use serde_json::{Value, json};

/// A tag with each kind of letter that one may have.
pub const ODD_TAG: &str = "a-B_9.";
/// Text of the samples' orders that no log line may have.
pub const PRIVATE: [&str; 2] = ["B-1187", "\"booking\""];
/// The names of the document's members, for fuzzing.
pub const NAMES: [&str; 5] = ["seats", "show", "class", "count", "booking"];
/// Texts that have a meaning in the document, or nearly have one, for fuzzing.
pub const TEXTS: [&str; 2] = ["hamlet", "stalls"];

/// Returns a client's document that claims these amounts of these keys. Even claims that the API refuses get a document.
pub fn document_of(claims: &[(&str, u64)]) -> Value {
    let seats = |(key, amount): &(&str, u64)| match key.split_once('/') {
        Some((show, class)) => json!({"show": show, "class": class, "count": amount}),
        None => json!({"show": key, "count": amount}),
    };
    let seats: Vec<_> = claims.iter().map(seats).collect();
    json!({"seats": seats})
}

/// Gives a document a tag, which its row and its event show.
pub fn tagged(mut document: Value, tag: &str) -> Value {
    document["booking"] = tag.into();
    document
}

/// Returns an order's tag, if it has one.
pub fn tag_of(order: &Order) -> Option<&str> {
    order.booking()
}

/// Returns whether an order may have been rejected for this reason, if `left` returns how much of each key is left, and none was
/// ever added. `None`: the key has no row.
pub fn may_reject(order: &Order, reason: Reason, left: impl Fn(&str) -> Option<i64>) -> bool {
    order
        .claims()
        .into_iter()
        .any(|(key, amount)| match reason {
            Reason::SoldOut => left(key).is_some_and(|left| i128::from(left) < i128::from(amount)),
            Reason::NoSuchClass => left(key).is_none(),
        })
}

/// Checks that an accepted order keeps the rules of the API, written a second time.
///
/// # Panics
///
/// If it breaks one.
pub fn check(order: &Order) {
    assert!((1..=50).contains(&order.seats().len()));
    for seats in order.seats() {
        assert!((1..=1_000_000).contains(&seats.count()), "{seats:?}");
        assert!((1..=129).contains(&seats.key().len()), "{seats:?}");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let booking = order.booking().unwrap_or("none");
    assert!(
        (1..=64).contains(&booking.len()) && booking.bytes().all(allowed),
        "{order:?}"
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
    let good = || document_of(&[("hamlet/stalls", 1)]);
    let with = |path: &str, value: Value| {
        let mut document = good();
        match document.pointer_mut(path) {
            Some(member) => *member = value,
            None => document[path.trim_start_matches('/')] = value,
        }
        document.to_string()
    };
    let seats = good()["seats"][0].clone();
    let mut cases = vec![
        ("null".to_owned(), vec![""]),
        ("[]".to_owned(), vec![""]),
        ("{}".to_owned(), vec!["/seats"]),
        (
            r#"{"seats":[{"show":"a b","count":0},{"show":"a","cuont":1}],"booking":"a\nb","a/b":1}"#.to_owned(),
            vec!["/a~1b", "/seats/0/show", "/seats/0/count", "/seats/1/cuont", "/seats/1/count", "/booking"],
        ),
        (with("/seats", json!(vec![seats; MAX_SEATS + 1])), vec!["/seats"]),
    ];
    let too_long = "x".repeat(MAX_NAME + 1);
    for (path, value) in [
        ("/seats", json!([])),
        ("/seats/0", json!("hamlet")),
        ("/seats/0/show", json!("")),
        ("/seats/0/show", json!(too_long)),
        ("/seats/0/class", json!("a/b")),
        ("/seats/0/count", json!(0)),
        ("/seats/0/count", json!(MAX_COUNT + 1)),
        ("/seats/0/count", json!(1.5)),
        ("/booking", json!(too_long)),
        ("/note", json!(1)),
    ] {
        cases.push((with(path, value), vec![path]));
    }
    cases
}
