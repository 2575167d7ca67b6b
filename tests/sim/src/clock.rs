//! The time of day, as it passes in a run.

use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The time of day at the start of every run: in 2026.
const BEGIN: Duration = Duration::from_hours(56 * 365 * 24 + 24 * 14);

/// A run starts on this thread.
pub fn start() {
    START.set(Some(Instant::now()));
}

/// The time of day.
pub fn now() -> SystemTime {
    let passed = START.get().map(|start| start.elapsed());
    after(passed.unwrap_or_default())
}

/// The time of day when so much has passed.
pub fn after(passed: Duration) -> SystemTime {
    UNIX_EPOCH + BEGIN + passed
}
