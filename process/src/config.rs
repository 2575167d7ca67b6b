//! Configures the SDK for `process`.

use anyhow::Result;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use function::aws::{configure, connector};
use std::time::Duration;

/// Services that are called, by the SDK's names.
const SERVICES: [&str; 3] = ["SQS", "DynamoDB", "EventBridge"];

/// Limits a call to 5 s, and each of its attempts to 2 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// Configures AWS's clients, with [`timeouts`]. Only calls that `retries` configures are retried.
pub fn aws() -> Result<SdkConfig> {
    // All clients share one connector: each would otherwise read the root certificates again.
    configure(&connector()?, &SERVICES, timeouts())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked;
    use std::time::SystemTime;

    #[tokio::test(start_paused = true)]
    async fn a_table_that_never_answers_costs_two_seconds_an_attempt_and_five_a_call() {
        let config = faked::aws(|_, _| Some(faked::SILENCE)).into_builder();
        let config = config.timeout_config(timeouts()).build();
        let order = faked::pending(0, &[1]);
        let start = tokio::time::Instant::now();
        let table = faked::table(&config);
        let now = SystemTime::now().into();
        assert_eq!(table.failed(&order.placed, now).await, None);
        assert_eq!(start.elapsed().as_secs(), 2);
        assert!(table.put_failed(&order.placed, now).await.is_err());
        assert_eq!(start.elapsed().as_secs(), 2 + 5);
    }
}
