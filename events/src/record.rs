//! The row of the table: an order with its outcome. The fields' names are the attributes' names.

use crate::{Client, Fingerprint, Order, OrderId, OrderPlaced, Timestamp};
use serde::{Deserialize, Serialize};

/// An order that was processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The key.
    pub id: OrderId,
    /// What became of it.
    pub status: Status,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whose it is.
    pub client: Client,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// When it got its status.
    pub processed_at: Timestamp,
    /// What was ordered, in short.
    pub fingerprint: Fingerprint,
    /// What it costs, in the currency's minor unit.
    pub total: u64,
    /// What was ordered.
    pub order: Order,
}

impl OrderRecord {
    /// The row of an order that got this status.
    pub fn new(
        placed: OrderPlaced,
        status: Status,
        reason: Option<Reason>,
        processed_at: Timestamp,
    ) -> Self {
        let OrderPlaced {
            id,
            client,
            placed_at,
            fingerprint,
            order,
        } = placed;
        let total = order.total();
        OrderRecord {
            id,
            status,
            reason,
            client,
            placed_at,
            processed_at,
            fingerprint,
            total,
            order,
        }
    }
}

/// What became of an order. Without a row it is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its stock is reserved.
    Confirmed,
    /// It will not be delivered.
    Rejected,
    /// Processing gave up; the message is on the dead-letter queue, and a redrive can still settle it.
    Failed,
}

/// Why an order was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer pieces are left than it needs.
    OutOfStock,
    /// An article that doesn't exist.
    UnknownArticle,
}
