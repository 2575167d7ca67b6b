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

/// What is known of keys. A key that is missing here is assumed to have enough; otherwise the table will refuse the
/// transaction and report what is left.
pub type Known = BTreeMap<String, Found>;

/// Decides on an order with these claims: confirms it if all are left, and takes them from `known`; rejects it otherwise.
pub fn allocate(claims: &BTreeMap<&str, u64>, known: &mut Known) -> Outcome {
    let found = |key: &str| known.get(key).copied();
    if claims.keys().any(|key| found(key) == Some(Found::Missing)) {
        return Outcome::MISSING;
    }
    let lacks = |key: &str, amount| matches!(found(key), Some(Found::Left(left)) if left < amount);
    if claims.iter().any(|(key, amount)| lacks(key, *amount)) {
        return Outcome::TOO_LITTLE;
    }
    for (key, amount) in claims {
        if let Some(Found::Left(left)) = known.get_mut(*key) {
            *left -= amount;
        }
    }
    Outcome::Confirmed
}
