//! Clients who obey are a level load, however hard the spike, and know their outcome soon for how long they waited.

use ingest::wait::MOST;
use sim::waits::{Spike, run};

/// The spike of tests/load: five times what is written, for a minute.
const SPIKE: Spike = Spike {
    arriving: 660.0,
    lasts: 60.0,
    written: 130.0,
    pause: 0.0,
    wanted: 130.0,
    has_hint: true,
    seed: 1,
};

#[test]
fn clients_in_the_spike_ask_less_often_than_they_send() {
    for seed in 0..20 {
        let waits = run(&Spike { seed, ..SPIKE });
        assert!(waits.gets <= 3.0, "{seed}: {} GETs", waits.gets);
        assert!(
            waits.most_gets <= waits.most_posts,
            "{seed}: {} a second",
            waits.most_gets
        );
        let late = (waits.late(0.5), waits.late(0.9));
        assert!(late.0 <= 0.25 && late.1 <= 0.6, "{seed}: {late:?} late");
    }
}

#[test]
fn a_rate_that_is_set_wrong_costs_a_little() {
    for wanted in [65.0, 260.0] {
        let waits = run(&Spike { wanted, ..SPIKE });
        assert!(waits.gets <= 5.0, "{wanted}: {} GETs", waits.gets);
        assert!(waits.late(0.9) <= 1.5, "{wanted}: {} late", waits.late(0.9));
    }
}

#[test]
fn the_load_of_those_who_wait_is_bounded_whatever_the_backlog() {
    for arriving in [260.0, 1300.0, 6500.0] {
        for lasts in [20.0, 120.0] {
            for pause in [0.0, 60.0] {
                let spike = Spike {
                    arriving,
                    lasts,
                    pause,
                    ..SPIKE
                };
                let waits = run(&spike);
                // Those who come first are told of no backlog yet.
                let most = f64::from(u32::try_from(waits.most_gets).unwrap_or(u32::MAX));
                assert!(
                    most <= (4.0 * 130.0_f64).max(1.2 * arriving),
                    "{spike:?}: {most} a second"
                );
                // Nobody is told to wait longer than MOST, so who waits for hours asks for hours.
                let drained = pause + arriving * lasts / spike.written;
                let most = 6.0 + drained / MOST.as_secs_f64();
                assert!(waits.gets <= most, "{spike:?}: {} GETs", waits.gets);
            }
        }
    }
}

#[test]
fn a_client_that_drops_the_hint_asks_as_little_and_knows_later() {
    let waits = run(&Spike {
        has_hint: false,
        ..SPIKE
    });
    let hinting = run(&SPIKE);
    assert!(waits.gets <= 3.0, "{} GETs", waits.gets);
    let late = (hinting.late(0.9), waits.late(0.9));
    assert!(late.0 < late.1, "{late:?} late");
}

#[test]
fn in_the_calm_an_outcome_is_known_in_two_seconds() {
    let waits = run(&Spike {
        arriving: 30.0,
        ..SPIKE
    });
    assert!(
        (waits.gets - 1.0).abs() < f64::EPSILON,
        "{} GETs",
        waits.gets
    );
}
