//! The orders that clients sent, and the answers that they got.

use crate::reply::Reply;
use anyhow::Result;
use events::{Order, order::kit};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
};

/// One order of a client, sent under one key, or only once.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The client that sent it.
    pub client: String,
    /// The order, and others that were sent with the same key; at most one of them takes effect.
    pub orders: Vec<Order>,
    /// The locations in the 202s of orders that were sent alone, each with the index of its order.
    pub locations: Vec<(usize, String)>,
    /// The id in the 202. Without one, the order may still be queued.
    pub id: Option<String>,
    /// Whether it was sent so as to fail at first.
    pub doomed: bool,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let tags: Vec<_> = self.orders.iter().filter_map(kit::tag_of).collect();
        let id = self.id.as_deref().unwrap_or("no id");
        write!(f, "{tags:?} of {} ({id})", self.client)
    }
}

/// The clients' own record.
#[derive(Default)]
pub struct Ledger(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    sent: Vec<Sent>,
    answers: BTreeMap<String, usize>,
    /// Answers that no client should ever get.
    wrong: Vec<String>,
}

impl Ledger {
    /// Enters an order before it is sent; returns its number.
    pub fn enter(&self, client: &str, order: &Value, doomed: bool) -> Result<usize> {
        let sent = Sent {
            client: client.to_owned(),
            orders: vec![serde_json::from_value(order.clone())?],
            locations: Vec::new(),
            id: None,
            doomed,
        };
        let mut inner = self.locked();
        inner.sent.push(sent);
        Ok(inner.sent.len() - 1)
    }

    /// Enters another order with the same key, before it is sent; returns its index among them.
    pub fn enter_other(&self, number: usize, order: &Value) -> Result<usize> {
        let order = serde_json::from_value(order.clone())?;
        let orders = &mut self.locked().sent[number].orders;
        orders.push(order);
        Ok(orders.len() - 1)
    }

    /// Enters the location from a 202 for one of the orders with this number.
    pub fn located(&self, (number, which): (usize, usize), location: &str) {
        let locations = &mut self.locked().sent[number].locations;
        locations.push((which, location.to_owned()));
    }

    /// Enters an answer; `None`: none within the client's patience.
    pub fn answered(&self, request: &str, reply: Option<&Reply>) {
        let answer = reply.map_or("no answer".to_owned(), |reply| {
            reply.status.as_str().to_owned()
        });
        let mut inner = self.locked();
        *inner
            .answers
            .entry(format!("{request} {answer}"))
            .or_default() += 1;
        if answer.starts_with('4') {
            inner
                .wrong
                .push(format!("{request} was answered {reply:?}"));
        }
    }

    /// Enters the id from a 202. All retries of a key must get the same id.
    pub fn accepted(&self, number: usize, id: &str) {
        let mut inner = self.locked();
        let before = inner.sent[number].id.replace(id.to_owned());
        if let Some(before) = before.filter(|before| before != id) {
            inner
                .wrong
                .push(format!("one key has two ids: {before}, {id}"));
        }
    }

    /// Everything that was sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.locked().sent.clone()
    }

    /// Answers by request and status.
    pub fn answers(&self) -> BTreeMap<String, usize> {
        self.locked().answers.clone()
    }

    /// The answers that no client should have got.
    pub fn wrong(&self) -> Vec<String> {
        self.locked().wrong.clone()
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no client panics in here")
    }
}
