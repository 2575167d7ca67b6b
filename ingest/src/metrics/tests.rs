//! When metrics are written, and with which time.

use super::*;
use events::Timestamp;
use std::cell::{Cell, RefCell};

thread_local! {
    static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    static SECONDS: Cell<f64> = const { Cell::new(0.0) };
}

fn metrics() -> Metrics {
    SECONDS.set(0.0);
    let write = |line: &Value| LINES.with_borrow_mut(|lines| lines.push(line.clone()));
    let mut metrics = Metrics::new("shop".to_owned(), "", write);
    metrics.clock = || UNIX_EPOCH + Duration::from_secs_f64(1_795_338_000.0 + SECONDS.get());
    metrics
}

/// Returns the lines that are written when a request ends, at the time in `SECONDS`.
fn written(metrics: &Metrics) -> Vec<Value> {
    metrics.write_if_due();
    LINES.take()
}

#[test]
fn a_line_has_what_was_counted_since_the_last() {
    let metrics = metrics();
    metrics.count("Accepted", 1);
    metrics.took("QueueMilliseconds", Duration::from_micros(3149));
    let [first] = &written(&metrics)[..] else {
        panic!("not one line")
    };
    assert_eq!(first["Accepted"], 1);
    assert_eq!(first["QueueMilliseconds"], json!([3.1]));
    assert_eq!(first["Service"], "shop");
    assert_eq!(first["level"], "INFO");
    let defined = &first["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(defined["Dimensions"], json!([["Service"]]));
    assert_eq!(defined["Metrics"][0]["Name"], "Accepted");

    for seconds in [1.0, 4.9] {
        SECONDS.set(seconds);
        metrics.count("Accepted", 2);
        metrics.took("QueueMilliseconds", Duration::from_millis(5));
        assert!(written(&metrics).is_empty());
    }
    SECONDS.set(5.0);
    let [second] = &written(&metrics)[..] else {
        panic!("not one line")
    };
    assert_eq!(second["Accepted"], 4);
    assert_eq!(second["QueueMilliseconds"], json!([5.0, 5.0]));
    SECONDS.set(60.0);
    assert!(written(&metrics).is_empty(), "nothing was counted");
}

#[test]
fn a_line_has_the_time_at_which_its_values_were_counted() {
    let metrics = metrics();
    metrics.count("Accepted", 1);
    assert_eq!(written(&metrics).len(), 1);
    // Two requests, hours of idling, four requests around the end of a minute.
    let requests = [
        (1.25, 3),
        (4.0, 5),
        (7201.5, 7),
        (7258.0, 9),
        (7259.75, 11),
        (7260.0, 13),
    ];
    let mut lines = Vec::new();
    for (seconds, orders) in requests {
        SECONDS.set(seconds);
        metrics.count("Accepted", orders);
        metrics.refused("not-json");
        lines.extend(written(&metrics));
    }
    SECONDS.set(9000.0);
    lines.extend(written(&metrics));
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            let millis = line["_aws"]["Timestamp"].as_u64().unwrap_or_default();
            let at = Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis));
            assert_eq!(line["timestamp"], json!(at));
            let counted = line["Accepted"].as_u64().or(line["Refused"].as_u64());
            (millis - 1_795_338_000_000, line["Kind"].is_null(), counted)
        })
        .collect();
    let expected = [
        (4000, 8, 2),
        (7_201_500, 7, 1),
        (7_258_000, 9, 1),
        (7_259_750, 11, 1),
        (7_260_000, 13, 1),
    ];
    let expected = expected.map(|(millis, orders, refused)| {
        [(millis, true, Some(orders)), (millis, false, Some(refused))]
    });
    assert_eq!(found, expected.concat());
}

#[test]
fn no_line_has_more_values_than_cloudwatch_takes() {
    let metrics = metrics();
    metrics.took("QueueMilliseconds", Duration::ZERO);
    assert_eq!(written(&metrics).len(), 1);
    let mut full = 0;
    for n in 1..=250 {
        SECONDS.set(0.001 * f64::from(n));
        metrics.took("QueueMilliseconds", Duration::ZERO);
        for line in written(&metrics) {
            assert_eq!(
                line["QueueMilliseconds"].as_array().map(Vec::len),
                Some(100)
            );
            assert_eq!(n % 100, 0);
            full += 1;
        }
    }
    assert_eq!(full, 2);
}

#[test]
fn each_kind_of_refusal_is_a_dimension_of_its_own() {
    let metrics = metrics();
    for kind in ["not-json", "invalid-order", "not-json"] {
        metrics.refused(kind);
    }
    let lines = written(&metrics);
    let refused: Vec<_> = lines
        .iter()
        .map(|line| (line["Kind"].as_str(), line["Refused"].as_u64()))
        .collect();
    assert_eq!(
        refused,
        [
            (Some("invalid-order"), Some(1)),
            (Some("not-json"), Some(2))
        ]
    );
    for line in &lines {
        let defined = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(defined["Dimensions"], json!([["Service", "Kind"]]));
    }
}
