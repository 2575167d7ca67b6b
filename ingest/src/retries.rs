//! Configures how often the SDK retries a call, and after which waits: its own defaults change between versions.
//!
//! A wait is drawn between 0 and a bound that starts at 50 ms and doubles: one failure costs 25 ms at the median, four in a
//! row at most 750 ms. The SDK's own first bound is 1 s up to its behaviour version of 2026-01-12, and 50 ms in the next,
//! which also changes how it counts attempts, keeps connections and pays for retries. These numbers hold whichever version is
//! pinned. While a service fails for long, each call gets one attempt: the SDK's retry quota is used up by then.

use aws_smithy_types::retry::RetryConfig;
use std::time::Duration;

/// Retries a send: a client is waiting, and a message that is on the queue twice takes effect once. Five attempts leave more
/// than half of the operation's 3 s for the attempts themselves. After that, a 503 asks the client to retry.
pub fn sends() -> RetryConfig {
    quick().with_max_attempts(5)
}

/// Retries a read of rows: a client is waiting, and a read changes nothing. Five attempts outlast a partition that throttles
/// for a fraction of a second; more would add load to a table that throttles.
pub fn reads() -> RetryConfig {
    quick().with_max_attempts(5)
}

fn quick() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(Duration::from_millis(50))
}
