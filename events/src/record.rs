//! The row of the table: an order with its outcome. Fields are named as the attributes are.

use crate::{Client, Fingerprint, Order, OrderId, OrderPlaced, Outcome, Timestamp, order::Summary};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The attribute of the table's time to live, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";

/// Returns whether a row with this number in [`EXPIRES_AT`] counts as deleted. DynamoDB deletes it up to days later.
pub fn has_expired(expires_at: &str, now: Timestamp) -> bool {
    expires_at.parse::<i64>().is_ok_and(|at| at < now.seconds())
}

/// An order that was processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The table's key.
    pub id: OrderId,
    /// The outcome, as the attributes `status` and `reason`.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The client that sent the order.
    pub client: Client,
    /// The time at which the order was accepted.
    pub placed_at: Timestamp,
    /// The time at which the order got its outcome.
    pub processed_at: Timestamp,
    /// The fingerprint of the order.
    pub fingerprint: Fingerprint,
    /// What the row shows beside the order.
    #[serde(flatten)]
    pub summary: Summary,
    /// The order as it was sent.
    pub order: Order,
    /// Fields of the message that this version doesn't know, and the row's own `expires_at`, which only DynamoDB reads.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl OrderRecord {
    /// Returns the row of an order that got its outcome at `processed_at`.
    pub fn new(placed: OrderPlaced, outcome: Outcome, processed_at: Timestamp) -> Self {
        let OrderPlaced {
            id,
            client,
            placed_at,
            fingerprint,
            order,
            mut unknown,
        } = placed;
        let summary = order.summary();
        // A message must not have these: they would replace the row's own.
        for own in ["status", "reason", "processed_at", EXPIRES_AT] {
            unknown.remove(own);
        }
        for own in Summary::FIELDS {
            unknown.remove(own);
        }
        Self {
            id,
            outcome,
            client,
            placed_at,
            processed_at,
            fingerprint,
            summary,
            order,
            unknown,
        }
    }

    /// Lets DynamoDB delete the row from `keep` after its outcome on. Counts from `placed_at` if that is later: the worker's
    /// clock may have been behind.
    #[must_use]
    pub fn kept_for(mut self, keep: Duration) -> Self {
        let seconds = keep.as_secs().try_into().unwrap_or(i64::MAX);
        let outcome = self.processed_at.max(self.placed_at);
        let at = outcome.seconds().saturating_add(seconds);
        self.unknown.insert(EXPIRES_AT.to_owned(), Value::from(at));
        self
    }
}
