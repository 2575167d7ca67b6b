//! What must hold, by the tables and the queues alone. Stock is never added meanwhile, which makes it provable that a
//! rejection was right: less is left of an article than the order needed.

use super::{ledger::Sent, market::UNKNOWN};
use events::{Fingerprint, OrderPlaced, OrderRecord, Reason, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Rows by their order's id.
pub type Rows = BTreeMap<String, OrderRecord>;

/// What was found, of what must not be.
#[derive(Debug, Default)]
pub struct Books {
    /// Accepted orders without an outcome.
    pub lost: usize,
    /// Pieces that were taken from stock beyond what confirmed orders account for, and orders with two rows.
    pub doubled: u64,
    /// Pieces that confirmed orders have and that were never there.
    pub oversold: u64,
    /// Rows by status and reason.
    pub outcomes: BTreeMap<String, usize>,
    /// Everything that is wrong, in words.
    pub wrong: Vec<String>,
}

impl Books {
    /// At a time when only what is doomed can fail: each such order is a dead letter and reads `failed`.
    pub fn doomed_orders_fail(&mut self, sent: &[Sent], rows: &Rows, letters: &[OrderPlaced]) {
        let letters: BTreeSet<_> = letters.iter().map(|placed| placed.id.to_string()).collect();
        for id in sent
            .iter()
            .filter(|sent| sent.doomed)
            .filter_map(|sent| sent.id.as_ref())
        {
            let status = rows.get(id).map(|row| row.status);
            if status != Some(Status::Failed) || !letters.contains(id) {
                self.wrong.push(format!(
                    "{id} failed for good; its row reads {status:?}, and it is a dead letter: {}",
                    letters.contains(id)
                ));
            }
        }
    }

    /// An outcome is for good, and a `failed` row is only ever turned to its own order's outcome.
    pub fn outcomes_stay(&mut self, before: &Rows, after: &Rows) {
        for (id, row) in before {
            let stays = after.get(id).is_some_and(|now| {
                now == row || (row.status == Status::Failed && now.fingerprint == row.fingerprint)
            });
            if !stays {
                let now = after.get(id);
                self.wrong
                    .push(format!("a row changed from {row:?} to {now:?}"));
            }
        }
    }

    /// Each order that was redriven has its outcome, and those that were doomed are confirmed: nothing else was wrong
    /// with them.
    pub fn redriven_orders_are_settled(
        &mut self,
        sent: &[Sent],
        letters: &[OrderPlaced],
        rows: &Rows,
    ) {
        let doomed: BTreeSet<_> = sent
            .iter()
            .filter(|sent| sent.doomed)
            .map(|sent| &sent.id)
            .collect();
        for id in letters.iter().map(|placed| placed.id.to_string()) {
            let status = rows.get(&id).map(|row| row.status);
            let settled = match status {
                Some(Status::Confirmed) => true,
                Some(Status::Rejected) => !doomed.contains(&Some(id.clone())),
                Some(Status::Failed) | None => false,
            };
            if !settled {
                self.wrong
                    .push(format!("{id} was redriven, and reads {status:?}"));
            }
        }
    }

    /// Each order has its one outcome; no row is of an order that nobody sent, or isn't what was sent.
    pub fn each_order_has_one_outcome(&mut self, sent: &[Sent], rows: &Rows) {
        let by_reference: BTreeMap<_, _> = sent
            .iter()
            .enumerate()
            .flat_map(|(n, sent)| {
                sent.orders
                    .iter()
                    .map(move |order| (order.reference(), (n, order)))
            })
            .collect();
        let mut rows_of = vec![0; sent.len()];
        for (id, row) in rows {
            let reason = row
                .reason
                .map_or(String::new(), |reason| format!(" {reason:?}"));
            *self
                .outcomes
                .entry(format!("{:?}{reason}", row.status))
                .or_default() += 1;
            let Some((n, order)) = by_reference.get(&row.order.reference()) else {
                self.wrong.push(format!("nobody sent {row:?}"));
                continue;
            };
            rows_of[*n] += 1;
            let Sent {
                client,
                id: accepted,
                ..
            } = &sent[*n];
            let as_sent = row.order == **order
                && row.fingerprint == Fingerprint::of(order)
                && row.total == order.total()
                && row.client.as_str() == client
                && accepted.as_ref().is_none_or(|accepted| accepted == id);
            if !as_sent {
                self.wrong
                    .push(format!("{row:?} is not what was sent: {:?}", sent[*n]));
            }
        }
        for (sent, count) in sent.iter().zip(rows_of) {
            let row = sent.id.as_ref().and_then(|id| rows.get(id));
            if sent.id.is_some() && row.is_none_or(|row| row.status == Status::Failed) {
                self.lost += 1;
                self.wrong.push(format!("{sent:?} has no outcome: {row:?}"));
            }
            if count > 1 {
                self.doubled += 1;
                self.wrong.push(format!("{sent:?} has {count} rows"));
            }
        }
    }

    /// What is gone from stock is what confirmed orders have.
    pub fn stock_adds_up(
        &mut self,
        rows: &Rows,
        before: &BTreeMap<String, i64>,
        left: &BTreeMap<String, i64>,
    ) {
        let mut confirmed = BTreeMap::<&str, i64>::new();
        for row in rows.values().filter(|row| row.status == Status::Confirmed) {
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

    /// No order was turned away that could have been served.
    pub fn rejections_are_right(&mut self, rows: &Rows, left: &BTreeMap<String, i64>) {
        for row in rows.values() {
            let wanted = row.order.quantities();
            let lacks = |(sku, quantity): (&&str, &u64)| {
                left.get(*sku)
                    .is_some_and(|left| i64::try_from(*quantity).is_ok_and(|q| *left < q))
            };
            let right = match (row.status, row.reason) {
                (Status::Rejected, Some(Reason::UnknownArticle)) => wanted.contains_key(UNKNOWN),
                (Status::Rejected, Some(Reason::OutOfStock)) => wanted.iter().any(lacks),
                (Status::Rejected, None) => false,
                (Status::Confirmed | Status::Failed, reason) => reason.is_none(),
            };
            if !right {
                self.wrong.push(format!("wrongly rejected: {row:?}"));
            }
        }
    }

    /// All the poison, and nothing else, is on the dead-letter queue.
    pub fn only_poison_is_dead(&mut self, poison: &BTreeSet<String>, letters: &BTreeSet<String>) {
        for missing in poison.difference(letters) {
            self.wrong.push(format!("this poison is gone: {missing}"));
        }
        for letter in letters.difference(poison) {
            self.wrong
                .push(format!("this is no poison, and a dead letter: {letter}"));
        }
    }

    /// Whether nothing was found.
    pub fn are_clean(&self) -> bool {
        (self.lost, self.doubled, self.oversold) == (0, 0, 0) && self.wrong.is_empty()
    }
}
