//! Whole runs of `process`, one per seed.

use sim::{
    case::{Case, Load, Outage, OutageKind, Stack, Weather},
    run::run,
    seeds,
};
use std::time::Duration;

#[test]
fn every_order_gets_its_one_outcome_whatever_happens() {
    let failures = seeds::run(1..1001);
    assert!(
        failures.is_empty(),
        "{failures:#?}\nsee `cargo run --bin sim -- --trace SEED`"
    );
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    // These have random faults, an outage, or neither.
    for seed in [3, 8, 9, 17] {
        let trace = || run(&Case::of(seed), true).trace;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}

#[test]
fn a_failed_row_that_reads_failed_at_once_is_seen_to_change() {
    // One delivery, and a table that throttles everything once the rows of the last delivery exist.
    let mut case = Case {
        load: Load::of(20, 2, 100),
        ..Case::of(1)
    };
    case.stack = Stack {
        max_receives: 1,
        ..Stack::default()
    };
    case.weather = Weather {
        outages: vec![Outage {
            from: Duration::from_millis(1300),
            until: Duration::from_secs(10),
            kind: OutageKind::Throttled,
        }],
        ..Weather::default()
    };
    let report = run(&case, false);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    case.stack.failed_after = Duration::ZERO;
    let wrong = run(&case, false).wrong;
    assert!(
        wrong
            .iter()
            .any(|wrong| wrong.contains("is Failed, and later")),
        "{wrong:?}"
    );
}
