//! Clients that honour `Retry-After` poll at a steady rate, however hard the spike, and learn their outcome soon in proportion
//! to how long their orders waited. The cases and their bounds are those of [`sim::waits::all`].

use sim::waits::{Spike, all, run};

/// Runs the cases whose names contain this text, with some seeds.
#[track_caller]
fn check(name: &str, seeds: u64) {
    let mut cases = all();
    cases.retain(|case| case.name.contains(name));
    assert!(!cases.is_empty(), "{name}");
    for case in cases {
        for seed in 1..=seeds {
            let spike = case.spike.clone();
            let waits = run(&Spike { seed, ..spike });
            let (gets, peak, late) = (waits.gets, waits.peak(), waits.late(0.9));
            assert!(
                gets <= case.gets && peak <= case.peak && late <= case.late,
                "{}, seed {seed}: {gets} GETs, {peak} at the peak, {late} late",
                case.name
            );
        }
    }
}

#[test]
fn clients_in_the_spike_ask_twice_and_know_soon() {
    check("the README's spike", 5);
}

#[test]
fn a_pause_of_the_workers_costs_each_client_a_request_or_two() {
    check("pause", 2);
}

#[test]
fn a_backlog_of_an_hour_is_no_more_load_than_one_of_minutes() {
    check("500,000", 1);
}

#[test]
fn those_who_come_before_and_after_the_spike_wait_for_their_own_turn() {
    check("before and after", 2);
}

#[test]
fn a_small_table_is_learnt_as_a_large_one() {
    check("a tenth of it", 5);
}

#[test]
fn one_environment_knows_as_much_as_many() {
    check("environment", 2);
}

#[test]
fn orders_that_are_delivered_again_or_fail_or_wait_in_their_batch_disturb_no_others() {
    check("delivered again", 2);
    check("delayed", 2);
}

#[test]
fn the_last_client_of_a_burst_knows_soon() {
    check("a burst", 20);
}

#[test]
fn clients_whose_orders_overtake_others_ask_at_their_own_pace() {
    check("overtakes", 2);
}

#[test]
fn a_hundred_orders_are_asked_for_as_one() {
    check("100 orders", 2);
}

#[test]
fn a_client_that_drops_the_hint_asks_as_little() {
    check("without placed_at", 2);
}

#[test]
fn in_the_calm_an_outcome_is_known_in_two_seconds() {
    let waits = run(&Spike {
        arriving: vec![(30.0, 0.0..60.0)],
        ..Spike::default()
    });
    assert!(
        (waits.gets - 1.0).abs() < f64::EPSILON,
        "{} GETs",
        waits.gets
    );
}
