//! Whole runs of `process`, each of a seed.

use sim::{case::Case, run::run, seeds};

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
    // With faults of chance, with an outage, and calm.
    for seed in [3, 8, 9, 17] {
        let trace = || run(&Case::of(seed), true).trace;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}
