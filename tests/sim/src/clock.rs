//! The time of day, as it passes in a run.

use events::Timestamp;
use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    static WRONG_BY: Cell<Wrong> = const { Cell::new(Wrong::Behind(Duration::ZERO)) };
}

/// How wrong a worker's clock is.
#[derive(Debug, Clone, Copy)]
pub enum Wrong {
    /// The clock is fast by this much.
    Ahead(Duration),
    /// The clock is slow by this much.
    Behind(Duration),
}

/// Runs a part of a worker's work, with its clock.
pub fn by<T>(wrong: Wrong, work: impl FnOnce() -> T) -> T {
    let before = WRONG_BY.replace(wrong);
    let result = work();
    WRONG_BY.set(before);
    result
}

/// The time of day by the current worker's clock.
pub fn of_worker() -> SystemTime {
    match WRONG_BY.get() {
        Wrong::Ahead(by) => now() + by,
        Wrong::Behind(by) => now() - by,
    }
}

/// The time of day at the start of every run: in 2026.
const BEGIN: Duration = Duration::from_hours(56 * 365 * 24 + 24 * 14);

/// Starts a run on this thread.
pub fn start() {
    START.set(Some(Instant::now()));
}

/// The time of day.
pub fn now() -> SystemTime {
    let passed = START.get().map(|start| start.elapsed());
    after(passed.unwrap_or_default())
}

/// The time of day after this much has passed.
pub fn after(passed: Duration) -> SystemTime {
    UNIX_EPOCH + BEGIN + passed
}

/// How much time had passed at `at`.
pub fn passed(at: Timestamp) -> Duration {
    Timestamp::from(after(Duration::ZERO)).until(at)
}
