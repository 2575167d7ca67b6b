//! Allocates stock to orders. Pure.

use crate::{group::Group, records::Pending};
use events::{Outcome, Reason};
use std::collections::BTreeMap;

/// An article's stock, as reported by DynamoDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// This many pieces are left.
    Left(u64),
    /// The article doesn't exist.
    Unknown,
}

/// The content of one `TransactWriteItems`: orders with their outcomes, and the stock that they reserve.
#[derive(Debug)]
pub struct Transaction<'a> {
    /// The orders, by arrival. None has failed.
    pub orders: Vec<(&'a Pending, Outcome)>,
    /// The pieces of each article that the confirmed orders reserve together.
    pub reserved: BTreeMap<&'a str, u64>,
}

impl Transaction<'_> {
    /// Returns the number of actions: a put for each order, an update for each article.
    pub fn actions(&self) -> usize {
        self.orders.len() + self.reserved.len()
    }
}

/// Decides on the orders by arrival: confirms each whose articles are all left in the quantities that it wants, and rejects
/// the others. An article that `stock` lacks is assumed to have enough; otherwise the table will refuse the transaction and
/// report what is left.
pub fn allocate<'a>(orders: &Group<'a>, stock: &BTreeMap<String, Stock>) -> Transaction<'a> {
    let mut left = stock.clone();
    let mut reserved = BTreeMap::new();
    let mut judge = |order: &'a Pending| {
        let wanted = order.placed.order().quantities();
        let known = |sku: &str| left.get(sku).copied();
        if wanted.keys().any(|sku| known(sku) == Some(Stock::Unknown)) {
            return Outcome::Rejected(Reason::UnknownArticle);
        }
        let lacks =
            |(sku, quantity)| matches!(known(sku), Some(Stock::Left(pieces)) if pieces < quantity);
        if wanted.iter().any(|(sku, quantity)| lacks((sku, *quantity))) {
            return Outcome::Rejected(Reason::OutOfStock);
        }
        for (sku, quantity) in wanted {
            if let Some(Stock::Left(pieces)) = left.get_mut(sku) {
                *pieces -= quantity;
            }
            // No stock covers the largest number: if the sum overflows, the table refuses it, and the orders are judged one by
            // one.
            let sum: &mut u64 = reserved.entry(sku).or_default();
            *sum = sum.saturating_add(quantity);
        }
        Outcome::Confirmed
    };
    let orders = orders.iter().map(|order| (*order, judge(order))).collect();
    Transaction { orders, reserved }
}

#[cfg(test)]
mod tests;
