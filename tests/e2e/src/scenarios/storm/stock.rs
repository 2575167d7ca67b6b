//! Checks the stock. No stock is added during the run, which makes it provable that an order was rejected
//! rightly: fewer pieces of one of its articles are left than it wanted.

use super::{
    market::UNKNOWN,
    reconciliation::{Reconciliation, Rows, describe},
};
use events::{Outcome, Reason};
use std::collections::BTreeMap;

impl Reconciliation {
    /// Checks that the stock has lost what the confirmed orders reserved.
    pub fn stock_adds_up(
        &mut self,
        rows: &Rows,
        before: &BTreeMap<String, i64>,
        left: &BTreeMap<String, i64>,
    ) {
        let mut confirmed = BTreeMap::<&str, i64>::new();
        for row in rows
            .values()
            .filter(|row| row.outcome == Outcome::Confirmed)
        {
            for (sku, quantity) in row.order.quantities() {
                *confirmed.entry(sku).or_default() += i64::try_from(quantity).unwrap_or(i64::MAX);
            }
        }
        for (sku, before) in before {
            let confirmed = confirmed.remove(&**sku).unwrap_or(0);
            let left = left.get(sku).copied().unwrap_or(0);
            self.doubled += u64::try_from(before - left - confirmed).unwrap_or(0);
            self.oversold += u64::try_from((confirmed - before).max(-left)).unwrap_or(0);
            if left < 0 || before - confirmed != left {
                self.wrong.push(format!(
                    "of {before} pieces of {sku} {confirmed} are confirmed, and {left} are left"
                ));
            }
        }
        for (sku, pieces) in confirmed {
            self.oversold += u64::try_from(pieces).unwrap_or(0);
            self.wrong.push(format!(
                "{pieces} pieces are confirmed of {sku}, which doesn't exist"
            ));
        }
    }

    /// Checks that no order was rejected that could have been confirmed.
    pub fn rejections_are_right(&mut self, rows: &Rows, left: &BTreeMap<String, i64>) {
        for row in rows.values() {
            let wanted = row.order.quantities();
            let lacks = |(sku, quantity): (&&str, &u64)| {
                left.get(*sku)
                    .is_some_and(|left| i64::try_from(*quantity).is_ok_and(|q| *left < q))
            };
            let right = match row.outcome {
                Outcome::Rejected(Reason::UnknownArticle) => wanted.contains_key(UNKNOWN),
                Outcome::Rejected(Reason::OutOfStock) => wanted.iter().any(lacks),
                Outcome::Confirmed | Outcome::Failed => true,
            };
            if !right {
                self.wrong
                    .push(format!("wrongly turned away: {}", describe(row)));
            }
        }
    }
}
