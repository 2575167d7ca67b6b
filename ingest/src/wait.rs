//! Decides when a client is to ask for its outcome. Pure.
//!
//! Clients that wait are load, too. The wait that they are told grows with the backlog, so that all of them together ask at
//! a bounded rate, however many there are.

use std::time::Duration;

/// Nobody is told to ask sooner, nor when nothing is known of the backlog.
pub const LEAST: Duration = Duration::from_secs(2);
/// Nobody is told to ask later: a backlog may be gone sooner than it looks.
pub const MOST: Duration = Duration::from_mins(5);

/// The wait of a client whose order is on the queue, in whole seconds.
///
/// With `waiting` orders, and `per_second` requests for a status that are wanted at most, all have asked once after
/// `waiting ÷ per_second`. That is about when a new order's turn comes, if the tables write as many a second. An order that
/// has waited asks again after half its `age`, where that is sooner: so a client knows its outcome late by half of what it
/// waited, at most. `chance`, from 0 to 1, spreads those who came together.
pub fn wait(waiting: Option<u64>, per_second: f64, age: Option<Duration>, chance: f64) -> Duration {
    let Some(waiting) = waiting else {
        return LEAST;
    };
    #[expect(clippy::cast_precision_loss)]
    let turn = Duration::try_from_secs_f64(waiting as f64 / per_second).unwrap_or(MOST);
    let wait = age.map_or(turn, |age| turn.min(age / 2));
    let spread = wait.min(MOST).mul_f64(0.75 + chance / 2.0);
    Duration::from_secs_f64(spread.clamp(LEAST, MOST).as_secs_f64().round())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(waiting: Option<u64>, per_second: f64, age: Option<u64>, chance: f64) -> u64 {
        wait(waiting, per_second, age.map(Duration::from_secs), chance).as_secs()
    }

    #[test]
    fn a_wait_goes_by_the_backlog_and_by_the_age() {
        let check = |waiting, per_second, age, expected| {
            assert_eq!(
                seconds(waiting, per_second, age, 0.5),
                expected,
                "{waiting:?} {age:?}"
            );
        };
        check(None, 130.0, None, 2);
        check(None, 130.0, Some(1000), 2);
        check(Some(0), 130.0, None, 2);
        check(Some(1300), 130.0, None, 10);
        check(Some(13_000), 130.0, None, 100);
        check(Some(13_000), 130.0, Some(40), 20);
        check(Some(13_000), 130.0, Some(1000), 100);
        check(Some(13_000), 130.0, Some(0), 2);
        check(Some(u64::MAX), 130.0, None, 300);
        check(Some(1), 0.0, None, 300);
    }

    #[test]
    fn chance_spreads_by_a_quarter() {
        for (chance, expected) in [(0.0, 75), (0.5, 100), (1.0, 125)] {
            assert_eq!(seconds(Some(10_000), 100.0, None, chance), expected);
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_bounded_and_grows_with_the_backlog(
            waiting: u64, more: u64, per_second in 0.1..10_000.0_f64, age: Option<u64>, chance in 0.0..1.0_f64,
        ) {
            let age = age.map(|age| age / 1_000_000);
            let wait = seconds(Some(waiting), per_second, age, chance);
            prop_assert!((2..=300).contains(&wait));
            prop_assert!(seconds(Some(waiting.saturating_add(more)), per_second, age, chance) >= wait);
        }
    }
}
