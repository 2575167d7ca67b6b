//! What an order contends for, and what becomes of it if it isn't left.

use super::{Order, Outcome};
use std::collections::BTreeMap;

impl Order {
    /// Returns nothing: there is room for everybody.
    pub fn claims(&self) -> BTreeMap<&str, u64> {
        BTreeMap::new()
    }
}

impl Outcome {
    /// The outcome of an order that claims more than is left, if there were one.
    pub const TOO_LITTLE: Self = Self::Confirmed;
    /// The outcome of an order that claims a key without a row, if there were one.
    pub const MISSING: Self = Self::Confirmed;
}
