//! The bus is faked at the HTTP level, in virtual time.

use super::*;
use crate::faked::{self, Answer, SILENCE, refused};
use events::{Order, Outcome, order::kit};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

const SECOND: Duration = Duration::from_secs(1);

/// Every wait is the longest possible.
const LONGEST: Effects = Effects {
    clock: SystemTime::now,
    chance: || 1.0,
};

/// The entries of each call.
type Calls = Vec<Vec<Value>>;

/// Returns the event for the order of this record.
fn event(record: usize) -> (Record, OutcomeEvent) {
    let placed = faked::pending(record, &[1]).placed;
    let (outcome, at) = (Outcome::Confirmed, placed.placed_at());
    (Record(record), OutcomeEvent::new(&placed, outcome, at, at))
}

/// The answer of a bus that takes the entries of a call, except those for which `code` returns an error code.
fn taken(entries: &[Value], code: impl Fn(&Value) -> Option<&'static str>) -> Answer {
    let results: Vec<_> = entries
        .iter()
        .map(|entry| match code(entry) {
            Some(code) => json!({"ErrorCode": code, "ErrorMessage": "no"}),
            None => json!({"EventId": "1"}),
        })
        .collect();
    let failed = results.iter().filter(|result| result["EventId"].is_null());
    (
        200,
        json!({"FailedEntryCount": failed.count(), "Entries": results}),
    )
}

/// Publishes these events. The bus answers each call by `answer`, from the entries and the number of earlier calls. Returns
/// the records of unpublished events, and the calls.
async fn publish_all(
    events: Vec<(Record, OutcomeEvent)>,
    answer: impl Fn(&[Value], usize) -> Answer + Send + Sync + 'static,
) -> (Vec<usize>, Calls) {
    let calls = Arc::<Mutex<Calls>>::default();
    let seen = calls.clone();
    let config = faked::aws(move |call, body| {
        assert_eq!(call, "PutEvents");
        let entries = body["Entries"].as_array().expect("entries").clone();
        let mut seen = seen.lock().expect("no panic in here");
        seen.push(entries.clone());
        Some(answer(&entries, seen.len() - 1))
    });
    let client = Client::new(&config);
    let bus = OutcomeBus::new(&client, "orders".to_owned(), "shop".to_owned());
    let deadline = Instant::now() + 30 * SECOND;
    let unpublished = bus.publish(events, deadline, LONGEST).await;
    let calls = calls.lock().expect("no panic in here").clone();
    (unpublished.into_iter().map(|it| it.0).collect(), calls)
}

/// Publishes the events of the orders 0 to `count`.
async fn publish(
    count: usize,
    answer: impl Fn(&[Value], usize) -> Answer + Send + Sync + 'static,
) -> (Vec<usize>, Calls) {
    publish_all((0..count).map(event).collect(), answer).await
}

/// Returns how often each order was sent.
fn times(calls: &Calls) -> Vec<usize> {
    let mut times = BTreeMap::new();
    for entry in calls.iter().flatten() {
        *times.entry(entry["Detail"].to_string()).or_default() += 1;
    }
    times.into_values().collect()
}

/// Returns whether an entry is the event of this record's order.
fn is_of(entry: &Value, record: usize) -> bool {
    let detail: Value =
        serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    detail["id"] == event(record).1.id.to_string()
}

#[tokio::test(start_paused = true)]
async fn events_go_ten_a_call_and_each_has_what_a_rule_needs() {
    let (unpublished, calls) = publish(23, |entries, _| taken(entries, |_| None)).await;
    assert!(unpublished.is_empty(), "{unpublished:?}");
    let mut sizes: Vec<_> = calls.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [3, 10, 10]);
    assert_eq!(times(&calls), [1; 23]);
    let entry = &calls[0][0];
    assert_eq!(entry["EventBusName"], "orders");
    assert_eq!(entry["Source"], "shop");
    assert_eq!(entry["DetailType"], "Order Confirmed");
    let (unpublished, calls) = publish(0, |_, _| SILENCE).await;
    assert!(unpublished.is_empty() && calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_was_refused_is_sent_again() {
    for code in ["InternalFailure", "ThrottlingException"] {
        let (unpublished, calls) = publish(5, move |entries, before| {
            taken(entries, |entry| {
                (before < 3 && is_of(entry, 2)).then_some(code)
            })
        })
        .await;
        assert!(unpublished.is_empty(), "{unpublished:?}");
        let sizes: Vec<_> = calls.iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 1, 1, 1], "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_sent_once_and_its_neighbours_are_published() {
    for code in ["MalformedDetail", "NotAuthorizedForSourceException", ""] {
        let (unpublished, calls) = publish(5, move |entries, _| {
            taken(entries, |entry| is_of(entry, 2).then_some(code))
        })
        .await;
        assert_eq!((unpublished, calls.len()), (vec![2], 1), "{code}");
    }
    let denied = |_: &[Value], _| refused(400, "AccessDeniedException");
    let (unpublished, calls) = publish(12, denied).await;
    assert_eq!((unpublished.len(), calls.len()), (12, 2));
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_nothing_is_given_up_soon() {
    let check = async |answer: Answer| {
        let start = Instant::now();
        let text = format!("{answer:?}");
        let (unpublished, calls) = publish(3, move |_, _| answer.clone()).await;
        assert_eq!(unpublished, [0, 1, 2], "{text}");
        assert!(calls.len() > 1 || text.starts_with("(0"), "{text}");
        start.elapsed()
    };
    for answer in [
        refused(400, "ThrottlingException"),
        refused(500, "InternalException"),
        (503, Value::Null),
        // Too few results: the other entries' fate is unknown.
        (200, json!({"FailedEntryCount": 0, "Entries": []})),
    ] {
        let taken = check(answer).await;
        assert!(taken <= 5 * SECOND && taken > 5 * SECOND / 2, "{taken:?}");
    }
    // The deadline ends this one: unlike the function's, the fake's clients have no time-outs.
    assert_eq!(check(SILENCE).await, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_a_little_is_waited_for() {
    // One entry per call: fewer than 50 in the time after which a silent bus is given up.
    let (unpublished, calls) = publish(100, |entries, _| {
        let first = entries[0].clone();
        taken(entries, move |entry| {
            (*entry != first).then_some("ThrottlingException")
        })
    })
    .await;
    assert!(unpublished.is_empty(), "{unpublished:?}");
    assert!(calls.len() >= 100);
}

#[tokio::test(start_paused = true)]
async fn large_events_go_in_smaller_calls() {
    let with_detail = |record, bytes: usize| {
        let (record, mut event) = event(record);
        let document = kit::tagged(json!(kit::order_of(&[("a", 1)])), &"x".repeat(bytes));
        let order: Order = serde_json::from_value(document).expect("an order");
        event.order = order.excerpt();
        (record, event)
    };
    let (large, larger) = (with_detail(1, 200_000), with_detail(2, 400_000));
    let events = vec![event(0), large.clone(), event(3), large, larger, event(4)];
    let (unpublished, calls) = publish_all(events, |entries, _| taken(entries, |_| None)).await;
    assert!(unpublished.is_empty());
    let mut sizes: Vec<_> = calls.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 1, 3]);
}
