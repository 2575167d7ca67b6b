//! Says how often the SDK repeats a call, and after which waits: its own defaults change with its versions. Transactions and
//! events are repeated by `commit` and `bus`, and not by the SDK.
//!
//! A wait is drawn between 0 and a bound, which is 100 ms at first and then doubles: four attempts wait 700 ms at most.
//! `ingest` says what the SDK does by itself.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use std::time::Duration;

/// Retries a change of messages' visibility: if none succeeds, they come back by the queue's own timeout, minutes later.
/// Changing it twice changes nothing.
pub fn visibility() -> RetryConfig {
    patient()
}

/// Retries the put of a `failed` row, which is conditional. The rows of a batch are put one after the other, and their orders
/// are tried afterwards anyway: more patience would be taken from those attempts.
pub fn failed_row() -> RetryConfig {
    patient()
}

fn patient() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(100))
}
