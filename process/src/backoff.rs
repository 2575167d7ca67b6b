//! How long to wait before something is tried again. Pure: chance is passed in, from 0 to 1.

use std::time::Duration;

/// The longest a failed record is put off: the queue's visibility timeout, unless the template is told otherwise.
pub const MAX_VISIBILITY: Duration = Duration::from_secs(185);

/// The wait before the transaction's next attempt: full jitter, up to 25 ms after the first attempt and doubling to
/// 1 s, so that workers that met in one conflict don't meet again.
pub fn conflict(attempt: u32, chance: f64) -> Duration {
    let most = Duration::from_millis(25).saturating_mul(1 << attempt.min(6));
    most.min(Duration::from_secs(1)).mul_f64(chance)
}

/// When a record that failed after `receives` receives is to come back: `base` doubled with each receive, up to
/// [`MAX_VISIBILITY`], half of it jitter. In whole seconds, as SQS takes them.
pub fn redelivery(base: Duration, receives: u32, chance: f64) -> Duration {
    let doubled = base.saturating_mul(
        1_u32
            .checked_shl(receives.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    let seconds = doubled.min(MAX_VISIBILITY).as_secs_f64();
    Duration::from_secs_f64((seconds * (0.5 + chance / 2.0)).round())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_waited_out_with_full_jitter() {
        let check = |attempt, most| {
            assert_eq!(conflict(attempt, 1.0), Duration::from_millis(most));
            assert_eq!(conflict(attempt, 0.0), Duration::ZERO);
        };
        check(0, 25);
        check(1, 50);
        check(5, 800);
        check(6, 1000);
        check(u32::MAX, 1000);
    }

    #[test]
    fn a_failed_record_comes_back_later_each_time() {
        let check = |receives, least, most| {
            let base = Duration::from_secs(5);
            assert_eq!(redelivery(base, receives, 0.0).as_secs(), least);
            assert_eq!(redelivery(base, receives, 1.0).as_secs(), most);
        };
        check(0, 3, 5);
        check(1, 3, 5);
        check(2, 5, 10);
        check(5, 40, 80);
        check(6, 80, 160);
        check(7, 93, 185);
        check(1000, 93, 185);
        assert_eq!(redelivery(Duration::ZERO, 9, 1.0), Duration::ZERO);
    }
}
