//! What an order contends for, and what becomes of it if it isn't left.

use super::{Order, Outcome, Reason};
use std::collections::BTreeMap;

impl Order {
    /// Returns the amount that the order claims of each key: the pieces of each article, summed over its lines.
    ///
    /// Orders that claim the same key are decided in sequence, by one row. An order is stored in one transaction with its
    /// claims, so it can have at most 99. DynamoDB limits a key to 2,048 bytes.
    pub fn claims(&self) -> BTreeMap<&str, u64> {
        let mut claims = BTreeMap::new();
        for line in self.lines() {
            *claims.entry(line.sku()).or_default() += line.quantity();
        }
        claims
    }
}

impl Outcome {
    /// The outcome of an order that claims more than is left.
    pub const TOO_LITTLE: Self = Self::Rejected(Reason::OutOfStock);
    /// The outcome of an order that claims a key without a row.
    pub const MISSING: Self = Self::Rejected(Reason::UnknownArticle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rejection_has_a_reason() -> serde_json::Result<()> {
        for (outcome, reason) in [
            (Outcome::TOO_LITTLE, "out_of_stock"),
            (Outcome::MISSING, "unknown_article"),
        ] {
            let expected = json!({"status": "rejected", "reason": reason});
            assert_eq!(serde_json::to_value(outcome)?, expected);
            assert_eq!(serde_json::from_value::<Outcome>(expected)?, outcome);
        }
        Ok(())
    }
}
