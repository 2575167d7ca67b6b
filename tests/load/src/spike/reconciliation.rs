//! Reconciles the tables with the answers that clients got.

use events::{OrderRecord, Outcome};
use std::collections::{BTreeMap, HashMap};

/// Differences between the tables and the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Orders that were accepted but have no outcome.
    pub lost: usize,
    /// Pieces that were taken from articles without a confirmed order for them, or twice for one order.
    pub doubled: u64,
    /// Pieces that confirmed orders have but no article lost.
    pub oversold: u64,
    /// Orders that were written although their client got an error, or no answer.
    pub unknown: usize,
}

impl Reconciliation {
    /// Compares the rows and the remaining stock with the ids that clients got and the initial stock.
    pub fn of<'a>(
        accepted: impl Iterator<Item = &'a str>,
        records: &[OrderRecord],
        before: u64,
        left: &BTreeMap<String, i64>,
    ) -> Self {
        let mut rows: HashMap<_, _> = records
            .iter()
            .map(|record| (record.id.to_string(), record.outcome))
            .collect();
        let mut lost = 0;
        for id in accepted {
            match rows.remove(id) {
                Some(outcome) if outcome.is_final() => {}
                _ => lost += 1,
            }
        }
        let mut confirmed: BTreeMap<&str, u64> = BTreeMap::new();
        for record in records
            .iter()
            .filter(|record| record.outcome == Outcome::Confirmed)
        {
            for (sku, quantity) in record.order.claims() {
                *confirmed.entry(sku).or_default() += quantity;
            }
        }
        let (mut doubled, mut oversold) = (0, 0);
        for (sku, left) in left {
            let taken = i128::from(before) - i128::from(*left);
            let wanted = i128::from(confirmed.get(sku.as_str()).copied().unwrap_or_default());
            let pieces = u64::try_from((taken - wanted).unsigned_abs()).unwrap_or(u64::MAX);
            if taken > wanted {
                doubled += pieces;
            } else {
                oversold += pieces;
            }
        }
        Self {
            lost,
            doubled,
            oversold,
            unknown: rows.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::slice::from_ref;

    /// An order for a teapot and two cups, and its id.
    fn record(outcome: Outcome) -> (OrderRecord, String) {
        let row: Value = serde_json::from_str(include_str!("../../../../events/order-record.json"))
            .expect("the sample is JSON");
        let item: serde_dynamo::Item = serde_json::from_value(row).expect("the sample is a row");
        let mut record: OrderRecord = serde_dynamo::from_item(item).expect("status can read it");
        record.outcome = outcome;
        let id = record.id.to_string();
        (record, id)
    }

    fn reconcile(
        accepted: &[&str],
        records: &[OrderRecord],
        teapots: i64,
        cups: i64,
    ) -> Reconciliation {
        let left = [("teapot", teapots), ("cup", cups), ("spoon", 100)];
        let left = left.map(|(sku, left)| (sku.to_owned(), left)).into();
        Reconciliation::of(accepted.iter().copied(), records, 100, &left)
    }

    #[test]
    fn everything_agrees_when_each_order_took_its_stock_once() {
        let (confirmed, id) = record(Outcome::Confirmed);
        assert_eq!(
            reconcile(&[&id], &[confirmed], 99, 98),
            Reconciliation::default()
        );
        let (rejected, id) = record(Outcome::TOO_LITTLE);
        assert_eq!(
            reconcile(&[&id], &[rejected], 100, 100),
            Reconciliation::default()
        );
        assert_eq!(reconcile(&[], &[], 100, 100), Reconciliation::default());
    }

    #[test]
    fn each_fault_is_found() {
        let check = |accepted: &[&str],
                     records: &[OrderRecord],
                     teapots,
                     cups,
                     expected: Reconciliation| {
            assert_eq!(reconcile(accepted, records, teapots, cups), expected);
        };
        let (confirmed, id) = record(Outcome::Confirmed);
        let fine = Reconciliation::default();
        let lost = Reconciliation {
            lost: 1,
            ..fine.clone()
        };
        check(&[&id], &[], 100, 100, lost.clone());
        check(&[&id], &[record(Outcome::Failed).0], 100, 100, lost);
        let doubled = Reconciliation {
            doubled: 3,
            ..fine.clone()
        };
        check(&[&id], from_ref(&confirmed), 98, 96, doubled);
        let oversold = Reconciliation {
            oversold: 2,
            ..fine.clone()
        };
        check(&[&id], from_ref(&confirmed), 99, 100, oversold);
        // One article's surplus doesn't offset another's shortage.
        let both = Reconciliation {
            doubled: 1,
            oversold: 1,
            ..fine.clone()
        };
        check(&[&id], from_ref(&confirmed), 98, 99, both);
        let unknown = Reconciliation { unknown: 1, ..fine };
        check(&[], &[confirmed], 99, 98, unknown);
    }
}
