//! The row of the table: an order with its outcome. The fields' names are the attributes' names.

use crate::{Client, Fingerprint, Order, OrderId, OrderPlaced, Outcome, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The attribute that the table's time to live goes by, a number of seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";

/// True if a row with this number in [`EXPIRES_AT`] counts as deleted. DynamoDB deletes it days later.
pub fn has_expired(expires_at: &str, now: Timestamp) -> bool {
    expires_at.parse::<i64>().is_ok_and(|at| at < now.seconds())
}

/// An order that was processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The key.
    pub id: OrderId,
    /// The outcome, as the attributes `status` and `reason`.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The client that sent it.
    pub client: Client,
    /// The time at which it was accepted.
    pub placed_at: Timestamp,
    /// The time at which it got its outcome.
    pub processed_at: Timestamp,
    /// The fingerprint of the order.
    pub fingerprint: Fingerprint,
    /// Its price, in the currency's minor unit.
    pub total: u64,
    /// The order as it was sent.
    pub order: Order,
    /// The fields of its message that this version doesn't know. Of the row itself, `expires_at`: DynamoDB alone reads it.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl OrderRecord {
    /// The row of an order that got its outcome at `processed_at`.
    pub fn new(placed: OrderPlaced, outcome: Outcome, processed_at: Timestamp) -> Self {
        let OrderPlaced {
            id,
            client,
            placed_at,
            fingerprint,
            order,
            mut unknown,
        } = placed;
        let total = order.total();
        // A message has none of these: they would replace the row's own.
        unknown.retain(|name, _| {
            !["status", "reason", "processed_at", "total", EXPIRES_AT].contains(&name.as_str())
        });
        Self {
            id,
            outcome,
            client,
            placed_at,
            processed_at,
            fingerprint,
            total,
            order,
            unknown,
        }
    }

    /// The row with the second from which on DynamoDB deletes it, `keep` after its outcome. The clock of the worker that wrote
    /// it may be behind: no order gets its outcome before it is placed.
    #[must_use]
    pub fn kept_for(mut self, keep: Duration) -> Self {
        let seconds = keep.as_secs().try_into().unwrap_or(i64::MAX);
        let outcome = self.processed_at.max(self.placed_at);
        let at = outcome.seconds().saturating_add(seconds);
        self.unknown.insert(EXPIRES_AT.to_owned(), Value::from(at));
        self
    }
}
