//! Reconciles tables and queue with the orders at the end of a run, from the models alone.

use crate::{
    case::Case,
    orders::{LATER, Orders},
    request::Row,
    table::Tables,
};
use events::{Order, OrderPlaced};
use std::collections::{BTreeMap, BTreeSet};

/// Counts the dead messages whose orders are valid.
pub fn dead(case: &Case, orders: &Orders, dead: &[String]) -> usize {
    let fine = |body: &&String| {
        OrderPlaced::from_json(body).is_ok_and(|placed| {
            !is_broken(orders, &placed) && !case.may_be_too_old(placed.placed_at())
        })
    };
    dead.iter().filter(fine).count()
}

/// Whether an order claims a key whose row is broken.
fn is_broken(orders: &Orders, placed: &OrderPlaced) -> bool {
    let claims = placed.order().claims();
    claims
        .keys()
        .any(|key| orders.stock.get(*key) == Some(&None))
}

/// Checks that each order has one outcome, and that the stock is exact.
pub fn check(
    case: &Case,
    orders: &Orders,
    tables: &Tables,
    dead: &[String],
    wrong: &mut Vec<String>,
) {
    let left_over = self::dead(case, orders, dead);
    if left_over > 0 {
        wrong.push(format!("{left_over} orders are dead after a redrive"));
    }
    let mut taken = BTreeMap::<&str, u64>::new();
    let mut known = BTreeSet::new();
    for (id, placed) in &orders.placed {
        let id = id.to_string();
        let may_fail = placed.iter().any(|placed| is_broken(orders, placed));
        let rows: Vec<_> = tables.rows_of(&id).collect();
        if rows.is_empty() && !may_fail {
            wrong.push(format!("{id} has no row"));
        }
        for row in rows {
            let mut own = placed.iter();
            match own.find(|placed| placed.fingerprint().as_str() == row.fingerprint) {
                Some(_) if row.status == "failed" && may_fail => {}
                Some(own) => judge(case, own.order(), row, tables, &mut taken, wrong),
                None => wrong.push(format!("{id} has the row of no order that was sent")),
            }
        }
        known.insert(id);
    }
    if let Some(id) = tables.rows.keys().find(|id| !known.contains(*id)) {
        wrong.push(format!("{id} was never sent"));
    }
    for (key, left) in &tables.stock {
        let Some(left) = left else { continue };
        let before = match key.as_str() {
            LATER => 1_000_000,
            key => orders.stock[key].unwrap_or_default(),
        };
        let taken = taken.get(key.as_str()).copied().unwrap_or_default();
        if left + taken != before {
            wrong.push(format!(
                "of {before} of {key} {taken} are confirmed, and {left} are left"
            ));
        }
    }
}

/// Checks the outcome in an order's row, and adds up what it has taken.
fn judge<'a>(
    case: &Case,
    order: &'a Order,
    row: &Row,
    tables: &Tables,
    taken: &mut BTreeMap<&'a str, u64>,
    wrong: &mut Vec<String>,
) {
    let id = &row.id;
    match row.status.as_str() {
        "confirmed" => {
            for (key, amount) in order.claims() {
                *taken.entry(key).or_default() += amount;
            }
        }
        "rejected" => {
            let lacks = |(key, amount): (&str, u64)| match tables.stock.get(key) {
                Some(Some(left)) => *left < amount,
                Some(None) => false,
                None => true,
            };
            let claims = order.claims();
            let claims_later = claims.contains_key(LATER) && case.load.added.is_some();
            if !claims_later && !claims.into_iter().any(lacks) {
                wrong.push(format!("{id} is rejected, but all that it claims is left"));
            }
        }
        other => wrong.push(format!("{id} is {other}")),
    }
}
