//! Reconciles tables and queue with the orders at the end of a run, from the models alone.

use crate::{
    case::Case,
    orders::{LATER, Orders},
    table::Tables,
};
use events::OrderPlaced;
use std::collections::BTreeMap;

/// Counts the dead messages that are orders that nothing is wrong with.
pub fn dead(orders: &Orders, dead: &[String]) -> usize {
    let fine = |body: &&String| {
        OrderPlaced::from_json(body).is_ok_and(|placed| !is_broken(orders, &placed))
    };
    dead.iter().filter(fine).count()
}

/// True if an order wants an article whose row is broken.
fn is_broken(orders: &Orders, placed: &OrderPlaced) -> bool {
    let wanted = placed.order().quantities();
    wanted
        .keys()
        .any(|sku| orders.stock.get(*sku) == Some(&None))
}

/// Checks that each order has one outcome, and that the stock is exact.
pub fn balance(
    case: &Case,
    orders: &Orders,
    tables: &Tables,
    dead: &[String],
    wrong: &mut Vec<String>,
) {
    let left_over = self::dead(orders, dead);
    if left_over > 0 {
        wrong.push(format!("{left_over} orders are dead after a redrive"));
    }
    let mut taken = BTreeMap::<&str, u64>::new();
    for (id, placed) in &orders.placed {
        let id = id.to_string();
        let may_fail = placed.iter().any(|placed| is_broken(orders, placed));
        let Some(row) = tables.rows.get(&id) else {
            if !may_fail {
                wrong.push(format!("{id} has no row"));
            }
            continue;
        };
        let own = placed
            .iter()
            .find(|placed| placed.fingerprint().as_str() == row.fingerprint);
        let Some(own) = own else {
            wrong.push(format!("{id} has the row of no order that was sent"));
            continue;
        };
        let lacks = |(sku, quantity): (&str, u64)| match tables.stock.get(sku) {
            Some(Some(left)) => *left < quantity,
            Some(None) => false,
            None => true,
        };
        match row.status.as_str() {
            "confirmed" => {
                for (sku, quantity) in own.order().quantities() {
                    *taken.entry(sku).or_default() += quantity;
                }
            }
            "rejected" => {
                let wants_later = own.order().quantities().contains_key(LATER);
                let right = own.order().quantities().into_iter().any(lacks)
                    || wants_later && case.load.added.is_some();
                if !right {
                    wrong.push(format!("{id} is rejected, and all that it wants is left"));
                }
            }
            "failed" if may_fail => {}
            other => wrong.push(format!("{id} is {other}")),
        }
    }
    if let Some(id) = tables.rows.keys().find(|id| {
        !orders
            .placed
            .keys()
            .any(|placed| placed.to_string() == **id)
    }) {
        wrong.push(format!("{id} was never sent"));
    }
    for (sku, left) in &tables.stock {
        let Some(left) = left else { continue };
        let before = match sku.as_str() {
            LATER => 1_000_000,
            sku => orders.stock[sku].unwrap_or_default(),
        };
        let taken = taken.get(sku.as_str()).copied().unwrap_or_default();
        if left + taken != before {
            wrong.push(format!(
                "of {before} pieces of {sku} {taken} are confirmed, and {left} are left"
            ));
        }
    }
}
