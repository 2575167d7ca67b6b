//! The disposition of a record: stored, or left for a retry.

use events::{Outcome, Timestamp};
use serde::Deserialize;

/// What became of a record's order by the end of the invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The order's row was written.
    Stored(Settled),
    /// The order already had its row: a redelivery, a duplicate, or an answer that was lost.
    StoredBefore(Settled),
    /// The order already had its row, whose outcome this version doesn't know.
    UnknownOutcome,
    /// Another order, this one, has the row of the id: one idempotency key was used for both.
    KeyMismatch(Owner),
    /// The order has no outcome that this worker knows, and its message stays on the queue.
    Retry(Cause),
}

/// The order that has the row of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The order's fingerprint.
    pub fingerprint: String,
    /// The order's outcome; None if this version doesn't know it.
    pub settled: Option<Settled>,
}

/// An order's outcome, as in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Settled {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The time at which the order was accepted. A retry under the same key is accepted later.
    pub placed_at: Timestamp,
    /// The time at which the order got its outcome.
    pub processed_at: Timestamp,
}

/// The reason why a record is left for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The record. Others can be stored.
    Record,
    /// The worker is too old: it doesn't know the message's version, or the outcome in the order's row.
    Worker,
    /// The table: it takes nothing, or throttles only these orders.
    Table,
    /// Lack of time: the table had more to do than fits into the invocation.
    Busy,
}
