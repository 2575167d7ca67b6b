//! The verdict on an order. Pure.

use events::Outcome;
use std::collections::BTreeMap;

/// What is left of a key, as reported by DynamoDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This much is left.
    Left(u64),
    /// The key has no row.
    Missing,
}

/// What is known of keys.
pub type Known = BTreeMap<String, Found>;

/// Confirms every order, as none claims anything.
pub fn allocate(_: &BTreeMap<&str, u64>, _: &mut Known) -> Outcome {
    Outcome::Confirmed
}
