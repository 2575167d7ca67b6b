//! Decides whether a `failed` row may still change without a redrive. Pure.

use events::{Outcome, Timestamp};
use std::time::Duration;

/// Returns whether the worker that wrote a `failed` row at `processed_at` may still settle its order.
///
/// On an order's last delivery the worker writes `failed` first, then tries until 3 s before its invocation ends. So the row
/// is final once it is older than the time-out of the `worker`. The 3 s also allow for clocks that differ. A row from the
/// future counts as new: even if a worker's clock is wrong, the answer changes from provisional to final once, and never back.
pub fn is_provisional(
    outcome: Outcome,
    processed_at: Timestamp,
    now: Timestamp,
    worker: Duration,
) -> bool {
    outcome == Outcome::Failed && processed_at.until(now) < worker
}

/// Returns whether the client placed the order again, under the same key, after the row was written. Its new message, placed
/// at `asked`, is then on its way and settles the order that the row's message did not.
pub fn is_placed_again(
    outcome: Outcome,
    placed_at: Timestamp,
    processed_at: Timestamp,
    asked: Timestamp,
) -> bool {
    // Clocks differ: even the order that the row belongs to may seem to have been placed after the row was written.
    outcome == Outcome::Failed && asked > processed_at && asked != placed_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::UNIX_EPOCH;

    const NOW: u64 = 1_795_338_000_000;

    fn check(outcome: Outcome, processed_at: u64, worker: u64) -> bool {
        let time = |millis| Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis));
        let worker = Duration::from_secs(worker);
        is_provisional(outcome, time(processed_at), time(NOW), worker)
    }

    #[test]
    fn a_failed_row_is_provisional_for_a_workers_timeout() {
        for (age, worker, expected) in [
            (0, 150, true),
            (149_999, 150, true),
            (150_000, 150, false),
            (3_600_000, 150, false),
            (4_999, 5, true),
            (5_000, 5, false),
            (899_999, 900, true),
            (900_000, 900, false),
        ] {
            assert_eq!(check(Outcome::Failed, NOW - age, worker), expected, "{age}");
        }
    }

    #[test]
    fn a_row_from_the_future_counts_as_new() {
        for ahead in [1, 1_000, 86_400_000] {
            assert!(check(Outcome::Failed, NOW + ahead, 150), "{ahead}");
        }
    }

    #[test]
    fn no_other_outcome_is_provisional() {
        for outcome in [Outcome::Confirmed, Outcome::TOO_LITTLE, Outcome::MISSING] {
            for processed_at in [NOW - 1, NOW, NOW + 1_000] {
                assert!(!check(outcome, processed_at, 150), "{outcome:?}");
            }
        }
    }

    #[test]
    fn a_failed_row_says_nothing_of_an_order_that_was_placed_again_later() {
        let time = |millis| Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis));
        for (outcome, placed_at, processed_at, asked, expected) in [
            (Outcome::Failed, 0, 5_000, 5_001, true),
            (Outcome::Failed, 0, 5_000, 5_000, false),
            (Outcome::Failed, 2_000, 5_000, 1_000, false),
            (Outcome::Failed, 0, 5_000, 0, false),
            // The worker's clock is behind that of `ingest`.
            (Outcome::Failed, 6_000, 5_000, 6_000, false),
            (Outcome::Confirmed, 0, 5_000, 5_001, false),
            (Outcome::TOO_LITTLE, 0, 5_000, 5_001, false),
        ] {
            assert_eq!(
                is_placed_again(outcome, time(placed_at), time(processed_at), time(asked)),
                expected,
                "{outcome:?} {placed_at} {processed_at} {asked}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_final_once_stays_final(written: u32, seen: u32, later: u32, worker in 5..900_u64) {
            let time = |millis: u64| Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis));
            let worker = Duration::from_secs(worker);
            let at = |now| is_provisional(Outcome::Failed, time(written.into()), time(now), worker);
            let seen = u64::from(seen);
            prop_assert!(at(seen) || !at(seen + u64::from(later)));
        }
    }
}
