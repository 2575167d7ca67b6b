//! The event that publishes an order's outcome on an event bus, for listeners such as fulfilment, mail or billing.

use crate::{Client, OrderId, OrderPlaced, Outcome, Timestamp, order::Excerpt};
use serde::{Deserialize, Serialize};

/// The version that is written. It is raised when a field changes its meaning.
pub const VERSION: u64 = 1;

/// An order's outcome, as the `detail` of an EventBridge event.
///
/// It has enough for a listener to know whether the order concerns it. The order's lines are only in its row: with them, an
/// event could exceed the 64 KiB that EventBridge bills as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeEvent {
    /// The writer's version: [`VERSION`] in events written here.
    pub version: u64,
    /// The order's id.
    pub id: OrderId,
    /// The client that sent the order.
    pub client: Client,
    /// The outcome, as the fields `status` and `reason`.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The time at which the order was accepted.
    pub placed_at: Timestamp,
    /// The time at which the order got this outcome.
    pub processed_at: Timestamp,
    /// What it shows of the order.
    #[serde(flatten)]
    pub order: Excerpt,
}

impl OutcomeEvent {
    /// Returns the event of an order with this outcome, accepted at `placed_at` and processed at `processed_at`.
    pub fn new(
        placed: &OrderPlaced,
        outcome: Outcome,
        placed_at: Timestamp,
        processed_at: Timestamp,
    ) -> Self {
        Self {
            version: VERSION,
            id: placed.id(),
            client: placed.client().clone(),
            outcome,
            placed_at,
            processed_at,
            order: placed.order().excerpt(),
        }
    }

    /// Returns the event's `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        self.outcome.detail_type()
    }

    /// Returns the event's `detail`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, integers and string keys are JSON")
    }
}
