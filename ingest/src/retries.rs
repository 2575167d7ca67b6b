//! Says how often the SDK repeats a call, and after which waits: its own defaults change with its versions.
//!
//! A wait is drawn between 0 and a bound, which is 50 ms at first and then doubles: one failure costs 25 ms at the median,
//! four in a row 750 ms at most. The SDK's own first bound is 1 s, up to its behaviour version of 2026-01-12, and 50 ms in
//! the next one, which also counts attempts, keeps connections and pays for retries otherwise. Whichever is pinned, these
//! numbers stay. A service that fails for long gets one attempt a call: the SDK's retry quota is used up by then.

use aws_smithy_types::retry::RetryConfig;
use std::time::Duration;

/// Retries a send: a client waits for it, and a message that is there twice takes effect once. Five attempts leave more than
/// half of the operation's 3 s for the attempts themselves; then 503 asks the client to repeat it.
pub fn sends() -> RetryConfig {
    quick().with_max_attempts(5)
}

/// Retries a read of rows: a client waits for it, and a read changes nothing. Five attempts outlast a throttled partition's
/// next fractions of a second; more would load a table that throttles.
pub fn reads() -> RetryConfig {
    quick().with_max_attempts(5)
}

fn quick() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(Duration::from_millis(50))
}
