//! The disposition of a record: stored, or to be retried.

use events::{Outcome, Timestamp};
use serde::Deserialize;

/// The state of a record's order when the invocation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Its row was written.
    Stored(Settled),
    /// It had its row before: a redelivery, or an answer that was lost. None if its outcome isn't one that this version knows,
    /// or if nobody needs it.
    StoredBefore(Option<Settled>),
    /// Its id has the row of another order, this one: one idempotency key was used for both.
    KeyMismatch(Owner),
    /// It has no outcome, and the message stays on the queue.
    Retry(Cause),
}

/// The order that has the row of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its outcome; None if this version doesn't know it.
    pub settled: Option<Settled>,
}

/// An order's outcome, as its row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Settled {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The time at which the order was accepted. A retry under the same key is accepted later.
    pub placed_at: Timestamp,
    /// The time at which it got its outcome.
    pub processed_at: Timestamp,
}

/// The reason why an order wasn't stored, or its outcome not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The record: others can be stored.
    Record,
    /// This worker: it doesn't know the message's version, or the outcome in the order's row. A newer one does.
    Worker,
    /// The table: it takes no orders.
    Table,
    /// The event bus: it has not taken the order's outcome.
    Bus,
    /// Nobody: the table had more to do than the invocation had time for.
    Busy,
}
