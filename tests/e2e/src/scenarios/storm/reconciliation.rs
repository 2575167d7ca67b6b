//! Reconciles tables and queues with what clients read.

use super::ledger::Sent;
use events::{Fingerprint, OrderPlaced, OrderRecord, Outcome, order::kit};
use std::collections::{BTreeMap, BTreeSet};

/// Rows by their order's id.
pub type Rows = BTreeMap<String, OrderRecord>;

/// The differences that were found.
#[derive(Debug, Default)]
pub struct Reconciliation {
    /// Accepted orders without an outcome.
    pub lost: usize,
    /// Pieces that left the stock beyond those of confirmed orders, and orders with two rows.
    pub doubled: u64,
    /// Pieces that confirmed orders have and that were never there.
    pub oversold: u64,
    /// Events beyond one per outcome.
    pub published_again: usize,
    /// Rows by status and reason.
    pub outcomes: BTreeMap<String, usize>,
    /// Everything that is wrong, in words.
    pub wrong: Vec<String>,
}

impl Reconciliation {
    /// Checks, while only doomed orders can fail, that each of them is a dead letter and reads `failed`.
    pub fn doomed_orders_fail(&mut self, sent: &[Sent], rows: &Rows, letters: &[OrderPlaced]) {
        let letters: BTreeSet<_> = letters
            .iter()
            .map(|placed| placed.id().to_string())
            .collect();
        for id in sent
            .iter()
            .filter(|sent| sent.doomed)
            .filter_map(|sent| sent.id.as_ref())
        {
            let status = rows.get(id).map(|row| row.outcome);
            if status != Some(Outcome::Failed) || !letters.contains(id) {
                self.wrong.push(format!(
                    "{id} failed for good; its row reads {status:?}, and it is a dead letter: {}",
                    letters.contains(id)
                ));
            }
        }
    }

    /// Checks that outcomes are final, except that an order's own outcome may replace its `failed` row.
    pub fn outcomes_stay(&mut self, before: &Rows, after: &Rows) {
        for (id, row) in before {
            let stays = after.get(id).is_some_and(|now| {
                now == row || (row.outcome == Outcome::Failed && now.fingerprint == row.fingerprint)
            });
            if !stays {
                let now = after.get(id).map_or("nothing".to_owned(), describe);
                self.wrong
                    .push(format!("{} has become {now}", describe(row)));
            }
        }
    }

    /// Checks that each redriven order has its outcome, and that the doomed ones are confirmed: nothing else was wrong with
    /// them.
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
        for id in letters.iter().map(|placed| placed.id().to_string()) {
            let status = rows.get(&id).map(|row| row.outcome);
            let settled = match status {
                Some(Outcome::Confirmed) => true,
                Some(Outcome::Rejected(_)) => !doomed.contains(&Some(id.clone())),
                Some(Outcome::Failed) | None => false,
            };
            if !settled {
                self.wrong
                    .push(format!("{id} was redriven, and reads {status:?}"));
            }
        }
    }

    /// Checks that each order has one outcome, and that each row holds an order that was sent, as it was sent.
    pub fn each_order_has_one_outcome(&mut self, sent: &[Sent], rows: &Rows) {
        let by_tag: BTreeMap<_, _> = sent
            .iter()
            .enumerate()
            .flat_map(|(n, sent)| {
                sent.orders
                    .iter()
                    .map(move |order| (kit::tag_of(order), (n, order)))
            })
            .collect();
        let mut rows_of = vec![0; sent.len()];
        for (id, row) in rows {
            let outcome = format!("{:?}", row.outcome);
            *self.outcomes.entry(outcome).or_default() += 1;
            let Some((n, order)) = by_tag.get(&kit::tag_of(&row.order)) else {
                self.wrong.push(format!("no client sent {}", describe(row)));
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
                && row.summary == order.summary()
                && row.client.as_str() == client
                && accepted.as_ref().is_none_or(|accepted| accepted == id);
            if !as_sent {
                self.wrong.push(format!(
                    "{} is not what was sent: {}",
                    describe(row),
                    sent[*n]
                ));
            }
        }
        for (sent, count) in sent.iter().zip(rows_of) {
            let row = sent.id.as_ref().and_then(|id| rows.get(id));
            if sent.id.is_some() && row.is_none_or(|row| row.outcome == Outcome::Failed) {
                self.lost += 1;
                self.wrong.push(format!(
                    "{sent} has no outcome: {}",
                    row.map_or("no row".to_owned(), describe)
                ));
            }
            if count > 1 {
                self.doubled += 1;
                self.wrong.push(format!("{sent} has {count} rows"));
            }
        }
    }

    /// Adds what is wrong with the published events, and the number of events beyond one per outcome.
    pub fn each_outcome_was_published(&mut self, (wrong, again): (Vec<String>, usize)) {
        self.wrong.extend(wrong);
        self.published_again = again;
    }

    /// Checks that exactly the poison is on the dead-letter queue.
    pub fn only_poison_is_dead(&mut self, poison: &BTreeSet<String>, letters: &BTreeSet<String>) {
        for missing in poison.difference(letters) {
            self.wrong.push(format!("poison was lost: {missing}"));
        }
        for letter in letters.difference(poison) {
            self.wrong
                .push(format!("a dead letter that is no poison: {letter}"));
        }
    }

    /// Whether no difference was found.
    pub fn is_clean(&self) -> bool {
        (self.lost, self.doubled, self.oversold) == (0, 0, 0) && self.wrong.is_empty()
    }
}

/// Describes a row in a finding.
pub fn describe(row: &OrderRecord) -> String {
    let OrderRecord {
        id, outcome, order, ..
    } = row;
    let tag = kit::tag_of(order).unwrap_or_default();
    format!("{id} \"{tag}\" {outcome:?}")
}
