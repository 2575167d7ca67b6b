//! Computes waits before retries. Pure: chance, from 0 to 1, is passed in.

use std::time::Duration;

/// Longest wait. SQS hides a message for at most 12 hours, counted from its delivery.
const LONGEST: Duration = Duration::from_hours(11);

/// Returns the wait of a worker or a group after `before` earlier refusals: full jitter, up to 25 ms at first and doubling up
/// to 1 s, so that workers that collided don't collide again.
pub fn again(before: u32, chance: f64) -> Duration {
    let most = Duration::from_millis(25).saturating_mul(1 << before.min(6));
    most.min(Duration::from_secs(1)).mul_f64(chance)
}

/// Returns the new visibility timeout, in whole seconds, of a record that the worker had no time for. The worker `served` some
/// records in the time `elapsed` and `left` others, so at the same speed it would need `elapsed * left / served` for them.
/// Their return is spread over the second half of this time, but no record waits for longer than twice the time that it has
/// `waited` since its first delivery.
pub fn turn(
    elapsed: Duration,
    served: usize,
    left: usize,
    waited: Duration,
    chance: f64,
) -> Duration {
    let count = |n| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let needed = elapsed.as_secs_f64() * count(left) / count(served.max(1));
    let most = needed.min((2 * waited).min(LONGEST).as_secs_f64());
    Duration::from_secs_f64((most * (0.5 + chance / 2.0)).ceil())
}

/// Returns the new visibility timeout, in whole seconds, of a record that failed on its own after `receives` deliveries:
/// `base`, doubled with each delivery, at most `longest`; half of it is jitter.
pub fn redelivery(base: Duration, longest: Duration, receives: u32, chance: f64) -> Duration {
    let seconds = doubled(base, receives).min(longest).as_secs_f64();
    Duration::from_secs_f64((seconds * (0.5 + chance / 2.0)).round())
}

fn doubled(base: Duration, receives: u32) -> Duration {
    let times = 1_u32.checked_shl(receives.saturating_sub(1));
    base.saturating_mul(times.unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_tried_again_with_full_jitter() {
        let check = |attempt, most| {
            assert_eq!(again(attempt, 1.0), Duration::from_millis(most));
            assert_eq!(again(attempt, 0.0), Duration::ZERO);
        };
        check(0, 25);
        check(1, 50);
        check(5, 800);
        check(6, 1000);
        check(u32::MAX, 1000);
    }

    #[test]
    fn what_there_was_no_time_for_comes_back_when_there_may_be() {
        let seconds = Duration::from_secs;
        let check = |served, left, waited, least, most| {
            let turn = |chance| turn(seconds(100), served, left, seconds(waited), chance).as_secs();
            assert_eq!(
                (turn(0.0), turn(1.0)),
                (least, most),
                "{served} {left} {waited}"
            );
        };
        // A hundredth of a second per record.
        check(10_000, 100, 100, 1, 1);
        check(10, 40, 1000, 200, 400);
        // Soon at first, however much is left; later each time.
        check(1, 49, 100, 100, 200);
        check(1, 49, 400, 400, 800);
        // SQS hides a message for at most 12 hours.
        check(1, 49_999, 1_000_000, 19_800, 39_600);
        check(0, 10, 1000, 500, 1000);
    }

    #[test]
    fn a_failed_record_comes_back_later_each_time() {
        let longest = Duration::from_secs(185);
        let check = |receives, least, most| {
            let base = Duration::from_secs(5);
            let after = |chance| redelivery(base, longest, receives, chance).as_secs();
            assert_eq!((after(0.0), after(1.0)), (least, most));
        };
        check(0, 3, 5);
        check(1, 3, 5);
        check(2, 5, 10);
        check(5, 40, 80);
        check(6, 80, 160);
        check(7, 93, 185);
        check(1000, 93, 185);
        assert_eq!(redelivery(Duration::ZERO, longest, 9, 1.0), Duration::ZERO);
    }
}
