//! Keeps the ways of the latest orders.

use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Orders that are kept. A spike may have more, and the queue then holds orders whose way isn't known any more.
const ORDERS: usize = 10_000;
/// Receives of an order that are kept: the first ones.
const RECEIVES: usize = 30;
/// The most bytes of an id. The project's own have 36; a message may name any.
const ID: usize = 128;

/// The ways of the latest orders, by id.
#[derive(Debug, Default)]
pub struct Journal {
    ways: HashMap<String, Way>,
    /// Their ids, newest last.
    ids: VecDeque<String>,
}

/// The way of an order, as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// When the queue took it.
    pub accepted: Timestamp,
    /// Each receive, with the receive count.
    pub receives: Vec<(Timestamp, u32)>,
    /// The outcome, once its row is written.
    pub outcome: Option<Outcome>,
}

/// An outcome, as it is in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub at: Timestamp,
    pub status: String,
    pub reason: Option<String>,
}

impl Journal {
    /// Notes that the queue took an order.
    pub fn accepted(&mut self, id: &str, at: Timestamp) {
        if id.len() > ID || self.ways.contains_key(id) {
            return;
        }
        if self.ids.len() == ORDERS
            && let Some(oldest) = self.ids.pop_front()
        {
            self.ways.remove(&oldest);
        }
        let way = Way {
            accepted: at,
            receives: Vec::new(),
            outcome: None,
        };
        self.ways.insert(id.to_owned(), way);
        self.ids.push_back(id.to_owned());
    }

    /// Notes that a function received an order, which was sent then. One that was never seen joins the others if there is
    /// room: it was accepted before the start, or its client got no answer.
    pub fn received(&mut self, id: &str, sent: Timestamp, at: Timestamp, count: u32) {
        if !self.ways.contains_key(id) && self.ids.len() < ORDERS {
            self.accepted(id, sent);
        }
        if let Some(way) = self.ways.get_mut(id)
            && way.receives.len() < RECEIVES
        {
            way.receives.push((at, count));
        }
    }

    /// Notes that the table took an order's row.
    pub fn written(&mut self, id: &str, outcome: Outcome) {
        if let Some(way) = self.ways.get_mut(id) {
            way.outcome = Some(outcome);
        }
    }

    pub fn way(&self, id: &str) -> Option<Way> {
        self.ways.get(id).cloned()
    }

    /// The latest orders, newest first.
    pub fn latest(&self, most: usize) -> Vec<(String, Way)> {
        let newest = self.ids.iter().rev().take(most);
        newest
            .filter_map(|id| Some((id.clone(), self.way(id)?)))
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
        let expected = Way {
            accepted: at(1),
            receives: vec![(at(3), 1), (at(4), 2)],
            outcome: Some(outcome),
        };
        assert_eq!(journal.way("a"), Some(expected));
    }

    #[test]
    fn the_oldest_orders_make_room_and_do_not_come_back() {
        let mut journal = Journal::default();
        journal.received("unseen", at(1), at(2), 7);
        assert_eq!(journal.way("unseen").map(|way| way.accepted), Some(at(1)));
        for n in 0..ORDERS {
            journal.accepted(&n.to_string(), at(3));
        }
        journal.received("unseen", at(1), at(4), 8);
        assert_eq!(journal.way("unseen"), None);
        journal.accepted(&"x".repeat(ID + 1), at(4));
        assert_eq!((journal.ways.len(), journal.ids.len()), (ORDERS, ORDERS));
    }
}
