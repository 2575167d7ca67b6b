//! Why an order is rejected.

use serde::{Deserialize, Serialize};

/// The reason why an order was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer pieces are left than it needs.
    OutOfStock,
    /// An article doesn't exist.
    UnknownArticle,
}
