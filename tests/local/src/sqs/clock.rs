//! Times and durations in milliseconds, as in the tables.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    milliseconds(since)
}

/// The first millisecond of the clock at which `milliseconds` have passed since `now`. The rest of the millisecond `now`
/// doesn't count: it may be nothing.
pub fn after(now: i64, milliseconds: i64) -> i64 {
    now + milliseconds + i64::from(milliseconds > 0)
}

/// Converts a duration to the tables' milliseconds.
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
