//! What an order contends for.

use super::Order;
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
