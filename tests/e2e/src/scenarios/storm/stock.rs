//! Checks what is left of each key. Nothing is added during the run, which makes it provable that an order was rejected rightly:
//! less is left of one of its keys than it claims.

use super::reconciliation::{Reconciliation, Rows, describe};
use events::{Outcome, order::kit};
use std::collections::BTreeMap;

impl Reconciliation {
    /// Checks that each key has lost what the confirmed orders claim.
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
            for (key, amount) in row.order.claims() {
                *confirmed.entry(key).or_default() += i64::try_from(amount).unwrap_or(i64::MAX);
            }
        }
        for (key, before) in before {
            let confirmed = confirmed.remove(&**key).unwrap_or(0);
            let left = left.get(key).copied().unwrap_or(0);
            self.doubled += u64::try_from(before - left - confirmed).unwrap_or(0);
            self.oversold += u64::try_from((confirmed - before).max(-left)).unwrap_or(0);
            if left < 0 || before - confirmed != left {
                self.wrong.push(format!(
                    "of {before} of {key} {confirmed} are confirmed, and {left} are left"
                ));
            }
        }
        for (key, amount) in confirmed {
            self.oversold += u64::try_from(amount).unwrap_or(0);
            self.wrong
                .push(format!("{amount} are confirmed of {key}, which has no row"));
        }
    }

    /// Checks that no order was rejected that could have been confirmed.
    pub fn rejections_are_right(&mut self, rows: &Rows, left: &BTreeMap<String, i64>) {
        for row in rows.values() {
            if let Outcome::Rejected(reason) = row.outcome
                && !kit::may_reject(&row.order, reason, |key| left.get(key).copied())
            {
                self.wrong
                    .push(format!("wrongly turned away: {}", describe(row)));
            }
        }
    }
}
