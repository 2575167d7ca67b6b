//! Waits for a condition, with a deadline.

use anyhow::{Result, ensure};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// How long a scenario waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Polls `condition` until it returns a value.
pub async fn until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    condition: impl Fn() -> F,
) -> Result<T> {
    until_in(PATIENCE, what, condition).await
}

/// Does the same as [`until`], with a time limit of its own.
pub async fn until_in<T, F: Future<Output = Result<Option<T>>>>(
    patience: Duration,
    what: &str,
    condition: impl Fn() -> F,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        if let Some(found) = condition().await? {
            return Ok(found);
        }
        ensure!(
            Instant::now() < deadline,
            "waited {patience:?} in vain until {what}"
        );
    }
}
