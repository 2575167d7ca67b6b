//! What is shown of an order beside its document, or in place of it.

use super::Order;
use serde::{Deserialize, Serialize};

/// Rows and statuses have no field beside the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {}

/// The fields that an outcome event has in place of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// What somebody signed up for.
    pub event: String,
    /// Who signed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Summary {
    /// The names of the fields.
    pub const FIELDS: [&str; 0] = [];
}

impl Order {
    /// Returns what rows and statuses show beside the order.
    pub fn summary(&self) -> Summary {
        Summary {}
    }

    /// Returns what an outcome event shows in place of the order.
    pub fn excerpt(&self) -> Excerpt {
        Excerpt {
            event: self.event().to_owned(),
            name: self.name().map(str::to_owned),
        }
    }
}
