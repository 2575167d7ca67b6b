//! A bus that is faked at HTTP, in virtual time.

use super::*;
use crate::faked::{self, Answer, SILENCE, refused};
use events::Outcome;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

const SECOND: Duration = Duration::from_secs(1);

/// Chance makes every wait the longest.
const LONGEST: Effects = Effects {
    clock: SystemTime::now,
    chance: || 1.0,
};

/// The entries of each call.
type Calls = Vec<Vec<Value>>;

/// The event of the order of record `record`.
fn event(record: usize) -> (usize, OutcomeEvent) {
    let placed = faked::pending(record, &[1]).placed;
    let (outcome, at) = (Outcome::Confirmed, placed.placed_at());
    (record, OutcomeEvent::new(&placed, outcome, at, at))
}

/// An answer by which the bus took the entries of this call but those that `code` has a code for.
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

/// Tells these events, by a bus that answers each call as `answer` says, by its entries and how many calls came before it.
/// Gives the records that are unpublished, and the calls.
async fn tell_all(
    events: Vec<(usize, OutcomeEvent)>,
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
    let unpublished = bus.tell(events, deadline, LONGEST).await;
    let calls = calls.lock().expect("no panic in here").clone();
    (unpublished.into_iter().collect(), calls)
}

/// Tells the events of the orders 0 to `count`.
async fn tell(
    count: usize,
    answer: impl Fn(&[Value], usize) -> Answer + Send + Sync + 'static,
) -> (Vec<usize>, Calls) {
    tell_all((0..count).map(event).collect(), answer).await
}

/// The number of times that each order was sent.
fn times(calls: &Calls) -> Vec<usize> {
    let mut times = BTreeMap::new();
    for entry in calls.iter().flatten() {
        *times.entry(entry["Detail"].to_string()).or_default() += 1;
    }
    times.into_values().collect()
}

/// Tells if an entry is the event of this record's order.
fn is_of(entry: &Value, record: usize) -> bool {
    let detail: Value =
        serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    detail["id"] == event(record).1.id.to_string()
}

#[tokio::test(start_paused = true)]
async fn events_go_ten_a_call_and_each_has_what_a_rule_needs() {
    let (unpublished, calls) = tell(23, |entries, _| taken(entries, |_| None)).await;
    assert!(unpublished.is_empty(), "{unpublished:?}");
    let mut sizes: Vec<_> = calls.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [3, 10, 10]);
    assert_eq!(times(&calls), [1; 23]);
    let entry = &calls[0][0];
    assert_eq!(entry["EventBusName"], "orders");
    assert_eq!(entry["Source"], "shop");
    assert_eq!(entry["DetailType"], "Order Confirmed");
    let (unpublished, calls) = tell(0, |_, _| SILENCE).await;
    assert!(unpublished.is_empty() && calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_was_refused_is_sent_again() {
    for code in ["InternalFailure", "ThrottlingException"] {
        let (unpublished, calls) = tell(5, move |entries, before| {
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
async fn what_is_refused_for_good_is_sent_once_and_its_neighbours_are_told() {
    for code in ["MalformedDetail", "NotAuthorizedForSourceException", ""] {
        let (unpublished, calls) = tell(5, move |entries, _| {
            taken(entries, |entry| is_of(entry, 2).then_some(code))
        })
        .await;
        assert_eq!((unpublished, calls.len()), (vec![2], 1), "{code}");
    }
    let denied = |_: &[Value], _| refused(400, "AccessDeniedException");
    let (unpublished, calls) = tell(12, denied).await;
    assert_eq!((unpublished.len(), calls.len()), (12, 2));
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_nothing_is_given_up_soon() {
    let check = async |answer: Answer| {
        let start = Instant::now();
        let text = format!("{answer:?}");
        let (unpublished, calls) = tell(3, move |_, _| answer.clone()).await;
        assert_eq!(unpublished, [0, 1, 2], "{text}");
        assert!(calls.len() > 1 || text.starts_with("(0"), "{text}");
        start.elapsed()
    };
    for answer in [
        refused(400, "ThrottlingException"),
        refused(500, "InternalException"),
        (503, Value::Null),
        // Too few results: nothing is known of the others.
        (200, json!({"FailedEntryCount": 0, "Entries": []})),
    ] {
        let taken = check(answer).await;
        assert!(taken <= 5 * SECOND && taken > 5 * SECOND / 2, "{taken:?}");
    }
    // The fake's clients have no time-outs, as those of the function have: the deadline ends it.
    assert_eq!(check(SILENCE).await, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_a_little_is_waited_for() {
    // One entry of each call, which is fewer than 50 in the time after which a silent bus is given up.
    let (unpublished, calls) = tell(100, |entries, _| {
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
    let mut large = event(1);
    large.1.reference = Some("x".repeat(200_000));
    let mut larger = event(2);
    larger.1.reference = Some("x".repeat(400_000));
    let events = vec![event(0), large.clone(), event(3), large, larger, event(4)];
    let (unpublished, calls) = tell_all(events, |entries, _| taken(entries, |_| None)).await;
    assert!(unpublished.is_empty());
    let mut sizes: Vec<_> = calls.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 1, 3]);
}
