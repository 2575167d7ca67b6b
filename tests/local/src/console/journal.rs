//! Keeps the paths of the latest orders.

use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};

/// The number of orders to keep. A spike may have more; the queue then holds orders whose path is no longer known.
const ORDERS: usize = 10_000;
/// The number of receives to keep for an order: the first ones.
const RECEIVES: usize = 30;
/// The maximum size of an id. This project's ids have 36 bytes; a message may contain any.
const ID: usize = 128;

/// The paths of the latest orders, by id.
#[derive(Debug, Default)]
pub struct Journal {
    paths: HashMap<String, OrderPath>,
    /// Their ids, newest last.
    ids: VecDeque<String>,
}

/// An order's path, as far as it was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPath {
    /// When the queue accepted it.
    pub accepted: Timestamp,
    /// Each receive, with the receive count.
    pub receives: Vec<(Timestamp, u32)>,
    /// The outcome, once its row is written.
    pub outcome: Option<Outcome>,
}

/// An outcome, from the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub at: Timestamp,
    pub status: String,
    pub reason: Option<String>,
}

impl Journal {
    /// Records that the queue accepted an order.
    pub fn accepted(&mut self, id: &str, at: Timestamp) {
        if id.len() > ID || self.paths.contains_key(id) {
            return;
        }
        if self.ids.len() == ORDERS
            && let Some(oldest) = self.ids.pop_front()
        {
            self.paths.remove(&oldest);
        }
        let path = OrderPath {
            accepted: at,
            receives: Vec::new(),
            outcome: None,
        };
        self.paths.insert(id.to_owned(), path);
        self.ids.push_back(id.to_owned());
    }

    /// Records that a function received an order that was sent at `sent`. An order that wasn't seen before is added if there
    /// is room: it was accepted before the start, or its client got no answer.
    pub fn received(&mut self, id: &str, sent: Timestamp, at: Timestamp, count: u32) {
        if !self.paths.contains_key(id) && self.ids.len() < ORDERS {
            self.accepted(id, sent);
        }
        if let Some(path) = self.paths.get_mut(id)
            && path.receives.len() < RECEIVES
        {
            path.receives.push((at, count));
        }
    }

    /// Records that the table accepted an order's row.
    pub fn written(&mut self, id: &str, outcome: Outcome) {
        if let Some(path) = self.paths.get_mut(id) {
            path.outcome = Some(outcome);
        }
    }

    pub fn path(&self, id: &str) -> Option<OrderPath> {
        self.paths.get(id).cloned()
    }

    /// The latest orders, newest first.
    pub fn latest(&self, most: usize) -> Vec<(String, OrderPath)> {
        let newest = self.ids.iter().rev().take(most);
        newest
            .filter_map(|id| Some((id.clone(), self.path(id)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time of this century")
    }

    #[test]
    fn an_order_is_followed_from_the_queue_to_its_outcome() {
        let mut journal = Journal::default();
        journal.accepted("a", at(1));
        journal.accepted("b", at(2));
        journal.received("a", at(1), at(3), 1);
        journal.received("a", at(1), at(4), 2);
        let outcome = Outcome {
            at: at(5),
            status: "rejected".to_owned(),
            reason: Some("out_of_stock".to_owned()),
        };
        journal.written("a", outcome.clone());
        journal.written("never seen", outcome.clone());
        let ids: Vec<_> = journal.latest(9).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["b", "a"]);
        let expected = OrderPath {
            accepted: at(1),
            receives: vec![(at(3), 1), (at(4), 2)],
            outcome: Some(outcome),
        };
        assert_eq!(journal.path("a"), Some(expected));
    }

    #[test]
    fn the_oldest_orders_make_room_and_do_not_come_back() {
        let mut journal = Journal::default();
        journal.received("unseen", at(1), at(2), 7);
        assert_eq!(
            journal.path("unseen").map(|path| path.accepted),
            Some(at(1))
        );
        for n in 0..ORDERS {
            journal.accepted(&n.to_string(), at(3));
        }
        journal.received("unseen", at(1), at(4), 8);
        assert_eq!(journal.path("unseen"), None);
        journal.accepted(&"x".repeat(ID + 1), at(4));
        assert_eq!((journal.paths.len(), journal.ids.len()), (ORDERS, ORDERS));
    }
}
