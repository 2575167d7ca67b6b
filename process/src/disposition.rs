//! The disposition of a record: stored, or to be retried.

use events::Outcome;

/// The state of a record's order when the invocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Its row was written, with this outcome.
    Stored(Outcome),
    /// It had its row before: a redelivery, or an answer that was lost.
    StoredBefore,
    /// Its id has the row of another order: one idempotency key was used for both.
    KeyMismatch,
    /// It has no outcome, and the message stays on the queue.
    Retry(Cause),
}

/// The reason why an order wasn't stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The record: others can be stored.
    Record,
    /// The table; or this worker, which doesn't know the message's version. No wait of the record's own would help it.
    Table,
    /// Nobody: the table had more to do than the invocation had time for.
    Busy,
}
