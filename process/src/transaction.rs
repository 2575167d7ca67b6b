//! Decides on the orders of a group. Pure.

use crate::{
    group::Group,
    records::Pending,
    stock::{Known, allocate},
};
use events::Outcome;
use std::collections::BTreeMap;

/// The content of one `TransactWriteItems`: orders with their outcomes, and what they claim.
#[derive(Debug)]
pub struct Transaction<'a> {
    /// The orders, by arrival. None has failed.
    pub orders: Vec<(&'a Pending, Outcome)>,
    /// The amount of each key that the confirmed orders claim together.
    pub claims: BTreeMap<&'a str, u64>,
}

impl<'a> Transaction<'a> {
    /// Decides on the orders by arrival, from what is known of their keys.
    pub fn decide(orders: &Group<'a>, known: &Known) -> Self {
        let mut known = known.clone();
        let mut claims = BTreeMap::new();
        let mut decide = |order: &'a Pending| {
            let own = order.placed.order().claims();
            let outcome = allocate(&own, &mut known);
            if outcome == Outcome::Confirmed {
                for (key, amount) in own {
                    // No row has the largest number left: if the sum overflows, the table refuses it, and the orders are judged
                    // one by one.
                    let sum: &mut u64 = claims.entry(key).or_default();
                    *sum = sum.saturating_add(amount);
                }
            }
            outcome
        };
        let orders = orders.iter().map(|order| (*order, decide(order))).collect();
        Self { orders, claims }
    }

    /// Returns the number of actions: a put for each order, an update for each key.
    pub fn actions(&self) -> usize {
        self.orders.len() + self.claims.len()
    }
}

#[cfg(test)]
mod tests;
