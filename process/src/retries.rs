//! Configures how often the SDK retries a call, and after which waits: its own defaults change between versions. The SDK
//! doesn't retry transactions and events: `commit` and `bus` do.
//!
//! A wait is drawn between 0 and a bound that starts at 100 ms and doubles: four attempts wait at most 700 ms. The same module
//! in `ingest` describes the SDK's own defaults.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use std::time::Duration;

/// Retries a change of messages' visibility. If no attempt succeeds, the messages come back after the queue's own timeout,
/// minutes later. Repeating the change is harmless.
pub fn visibility() -> RetryConfig {
    patient()
}

/// Retries the put of a `failed` row, which is conditional. The rows of a batch are put one after the other, and their orders
/// are tried afterwards in any case: longer retries would take time from those attempts.
pub fn failed_row() -> RetryConfig {
    patient()
}

fn patient() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        faked::{Answer, aws, pending, refused, table},
        visibility::MessageVisibility,
    };
    use anyhow::Result;
    use aws_sdk_sqs::Client;
    use events::Timestamp;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::time::Instant;

    /// Fails the first `failed` calls, and counts all.
    fn failing(
        failed: usize,
    ) -> (
        impl Fn(&str, &serde_json::Value) -> Option<Answer> + Send + Sync,
        Arc<AtomicUsize>,
    ) {
        let calls = Arc::<AtomicUsize>::default();
        let count = calls.clone();
        let answer = move |_: &str, _: &serde_json::Value| {
            let n = count.fetch_add(1, Ordering::Relaxed);
            (n < failed).then(|| refused(503, "ServiceUnavailable"))
        };
        (answer, calls)
    }

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_leave_visibility_and_row_as_wanted() -> Result<()> {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse()?;
        for (failed, expected) in [(0, 1), (1, 2), (3, 4), (9, 4)] {
            let bound = Duration::from_millis(100 * ((1 << (expected - 1)) - 1) + 10);

            let (answer, calls) = failing(failed);
            let sqs = Client::new(&aws(answer));
            let visibility = MessageVisibility::new(&sqs, "https://sqs.test/orders".to_owned());
            let since = Instant::now();
            let wait = Duration::from_secs(5);
            visibility.change(&[("handle".to_owned(), wait)]).await;
            assert_eq!(calls.load(Ordering::Relaxed), expected, "{failed}");
            assert!(since.elapsed() <= bound, "{failed}: {:?}", since.elapsed());

            let (answer, calls) = failing(failed);
            let since = Instant::now();
            let order = pending(0, &[1]).placed;
            let put = table(&aws(answer)).put_failed(&order, now).await;
            assert_eq!(put.is_ok(), failed < 4, "{failed}");
            assert_eq!(calls.load(Ordering::Relaxed), expected, "{failed}");
            assert!(since.elapsed() <= bound, "{failed}: {:?}", since.elapsed());
        }
        Ok(())
    }
}
