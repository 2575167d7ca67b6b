//! Why an order is rejected: none is, since none claims anything.

use serde::{Deserialize, Serialize};

/// The reason why an order was rejected. There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {}
