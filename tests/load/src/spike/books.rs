//! What is in the tables in the end, compared with what clients were told.

use std::collections::{BTreeMap, HashMap};

use events::{OrderRecord, Status};

/// What is wrong, and how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Orders that were accepted and have no outcome.
    pub lost: usize,
    /// Pieces that were taken from articles without a confirmed order for them, or for an order twice.
    pub doubled: u64,
    /// Pieces that confirmed orders have and no article lost.
    pub oversold: u64,
    /// Orders that were written although their client was told, or thought, otherwise.
    pub unknown: usize,
}

impl Books {
    /// Compares the rows, and what is left of each article, with the ids that clients were given and the stock of
    /// the start.
    pub fn balance<'a>(
        accepted: impl Iterator<Item = &'a str>,
        records: &[OrderRecord],
        before: u64,
        left: &BTreeMap<String, i64>,
    ) -> Self {
        let mut rows: HashMap<_, _> = records
            .iter()
            .map(|record| (record.id.to_string(), record.status))
            .collect();
        let mut lost = 0;
        for id in accepted {
            match rows.remove(id) {
                Some(Status::Confirmed | Status::Rejected) => {}
                _ => lost += 1,
            }
        }
        let mut confirmed: BTreeMap<&str, u64> = BTreeMap::new();
        for record in records
            .iter()
            .filter(|record| record.status == Status::Confirmed)
        {
            for (sku, quantity) in record.order.quantities() {
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
