//! What is shown of an order beside its document, or in place of it.

use super::Order;
use serde::{Deserialize, Serialize};

/// The fields that rows and statuses have beside the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The number of seats.
    pub seats: u64,
}

/// The fields that an outcome event has in place of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The number of seats.
    pub seats: u64,
    /// The client's own name for the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<String>,
}

impl Summary {
    /// The names of the fields.
    pub const FIELDS: [&str; 1] = ["seats"];
}

impl Order {
    /// Returns what rows and statuses show beside the order.
    pub fn summary(&self) -> Summary {
        Summary {
            seats: self.count(),
        }
    }

    /// Returns what an outcome event shows in place of the order.
    pub fn excerpt(&self) -> Excerpt {
        Excerpt {
            seats: self.count(),
            booking: self.booking().map(str::to_owned),
        }
    }
}
