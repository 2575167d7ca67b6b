//! What an order contends for, and what becomes of it if it isn't left.

use super::{Order, Outcome, Reason};
use std::collections::BTreeMap;

impl Order {
    /// Returns how many seats the order claims of each class of each show.
    pub fn claims(&self) -> BTreeMap<&str, u64> {
        let mut claims = BTreeMap::new();
        for seats in self.seats() {
            *claims.entry(seats.key()).or_default() += seats.count();
        }
        claims
    }
}

impl Outcome {
    /// The outcome of an order that claims more than is left.
    pub const TOO_LITTLE: Self = Self::Rejected(Reason::SoldOut);
    /// The outcome of an order that claims a key without a row.
    pub const MISSING: Self = Self::Rejected(Reason::NoSuchClass);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rejection_has_a_reason() -> serde_json::Result<()> {
        for (outcome, reason) in [
            (Outcome::TOO_LITTLE, "sold_out"),
            (Outcome::MISSING, "no_such_class"),
        ] {
            let expected = json!({"status": "rejected", "reason": reason});
            assert_eq!(serde_json::to_value(outcome)?, expected);
            assert_eq!(serde_json::from_value::<Outcome>(expected)?, outcome);
        }
        Ok(())
    }
}
