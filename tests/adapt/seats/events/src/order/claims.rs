//! What an order contends for.

use super::Order;
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
