//! The figures that the README promises, each with its upper bound.

use sim::{
    case::OutageKind,
    figures::{Figure, Measured, all, hour_at_any_time, measure},
};
use std::time::Duration;

fn figure(name: &str) -> Measured {
    let figure = all().into_iter().find(|figure| figure.name == name);
    measured(&figure.expect("a figure of this name"))
}

fn measured(figure: &Figure) -> Measured {
    let (name, measured) = (&figure.name, measure(figure));
    let report = &measured.report;
    assert!(report.wrong.is_empty(), "{name}: {:?}", report.wrong);
    assert_eq!(report.dead, 0, "{name}");
    measured
}

#[test]
fn long_orders_are_drained_at_the_speed_of_the_table() {
    let long = figure("long-orders");
    assert!(long.share > Some(0.8), "{long}");
    assert!(long.report.most_receives <= 3, "{long}");
}

#[test]
fn a_spike_is_drained_at_the_speed_of_the_table() {
    let spike = figure("spike");
    assert!(spike.share > Some(0.95), "{spike}");
    assert_eq!(spike.report.most_receives, 1, "{spike}");
}

#[test]
fn publishing_outcomes_slows_no_spike() {
    let spike = figure("spike-published");
    assert!(spike.share > Some(0.95), "{spike}");
    assert_eq!(spike.report.most_receives, 1, "{spike}");
}

#[test]
fn a_bus_that_is_gone_for_25_minutes_costs_no_event_and_no_order_waits_for_it() {
    for name in [
        "outage-busdown-5",
        "outage-busthrottled-5",
        "outage-bussilent-5",
    ] {
        let outage = figure(name);
        // All get their outcome during the outage, and their events after it; otherwise the report lists what is wrong.
        assert_eq!(outage.before_end, 500, "{outage}");
        let drained = outage.report.drained;
        assert!(
            drained <= Some(Duration::from_secs(1 + 25 * 60 + 200)),
            "{drained:?}"
        );
    }
}

#[test]
fn throttling_is_forgotten_within_seconds_of_its_end() {
    for name in ["throttled-1s", "throttled-10s", "throttled-180s"] {
        let throttled = figure(name);
        assert!(
            throttled.recovery <= Some(Duration::from_secs(5)),
            "{throttled}"
        );
        assert!(throttled.recovery.is_some(), "{throttled}");
    }
}

#[test]
fn more_workers_are_faster_than_one_where_all_orders_want_the_same() {
    let [one, ten, fifty] = ["hot-1", "hot-10", "hot-50"].map(figure);
    assert!(
        ten.rate >= 1.3 * one.rate && fifty.rate >= 1.3 * one.rate,
        "{one}\n{ten}\n{fifty}"
    );
}

#[test]
fn an_outage_of_25_minutes_costs_no_order_and_is_over_within_a_visibility_timeout() {
    // The other cases of the table take minutes: `cargo run --bin sim -- --figures outage`.
    for name in ["outage-down-50", "outage-throttled-5", "outage-silent-5"] {
        let outage = figure(name);
        assert!(outage.settled <= Some(Duration::from_secs(185)), "{outage}");
    }
}

#[test]
fn an_outage_of_an_hour_costs_no_order_whenever_it_begins() {
    // `cargo run --bin sim -- --figures hour` has fifteen times the orders.
    let kinds = [OutageKind::Down, OutageKind::Throttled, OutageKind::Silent];
    for (seed, kind) in (1..7).zip(kinds.into_iter().cycle()) {
        let hour = measured(&hour_at_any_time(seed, kind));
        // The outage takes up to 20 receives, and the load before and after it a few.
        let most = hour.report.most_receives;
        assert!((19..25).contains(&most), "{hour}");
    }
}

#[test]
fn a_throttled_article_keeps_no_order_waiting_that_does_not_want_it() {
    // An eighth of the articles is throttled for 25 minutes.
    for (name, others) in [
        ("outage-hotpartition-1", 400),
        ("outage-hotpartition-5", 230),
    ] {
        let hot = figure(name);
        assert!(hot.before_end >= others, "{hot}");
    }
}

#[test]
fn load_alone_uses_up_no_receives() {
    for name in ["batch-500", "400-units", "100-units-50-lines"] {
        let sized = figure(name);
        assert!(sized.report.most_receives <= 3, "{sized}");
    }
}
