//! Waits for a condition, with a deadline.

use anyhow::{Result, ensure};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// A scenario waits for anything this long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `condition` gives something, looking again every so often.
pub async fn until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    condition: impl Fn() -> F,
) -> Result<T> {
    until_in(PATIENCE, what, condition).await
}

/// Like [`until`], with a patience of its own.
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
