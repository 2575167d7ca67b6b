//! Configures the SDK as `process` calls it.

use anyhow::Result;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use function::aws::{configure, connector};
use std::time::Duration;

/// The services that are called, by the SDK's names of them.
const SERVICES: [&str; 3] = ["SQS", "DynamoDB", "EventBridge"];

/// A call may take 5 s, each of its attempts 2 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// Configures AWS's clients, with [`timeouts`]. The SDK retries a call if `retries` says so, and no other.
pub fn aws() -> Result<SdkConfig> {
    // One for all clients: each would read the root certificates for itself.
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
