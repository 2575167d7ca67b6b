//! The record of one design under the spike.

use super::{reconciliation::Reconciliation, table::Attempt};
use std::{collections::HashMap, time::Duration};

/// One design under the spike. Times are counted from the start.
#[derive(Debug)]
pub struct Run {
    pub name: &'static str,
    /// The answers, one for each order that was sent.
    pub answers: Vec<Answer>,
    /// The writes, in the order in which they reached the table; empty for a deployed API.
    pub attempts: Vec<Attempt>,
    /// The time of each order's write, by id.
    pub written: HashMap<String, Duration>,
    /// The maximum number of orders that workers may hold at a time: their cap × the orders of a batch.
    pub at_once: Option<u32>,
    /// The load of this machine while orders were sent.
    pub machine: String,
    /// The polls for each order's outcome, by id; empty if no client polls or has to.
    pub followed: HashMap<String, Followed>,
    /// The reconciliation of the tables with the answers.
    pub reconciliation: Reconciliation,
}

/// The polls for an order's outcome. Times are counted from the start.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// The times of the requests.
    pub asked: Vec<Duration>,
    /// The requests that got no status.
    pub failed: usize,
    /// The time when the client read the outcome.
    pub known: Option<Duration>,
}

/// A client's answer for an order.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The time when the order was due.
    pub due: Duration,
    /// The time from then until the answer arrived.
    pub latency: Duration,
    pub reply: Reply,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A success, with the order's id.
    Accepted(String),
    /// Another status.
    Refused(u16),
    /// No answer.
    Nothing,
}

impl Answer {
    /// The time when the client had the answer.
    pub fn at(&self) -> Duration {
        self.due + self.latency
    }

    /// The order's id, if it was accepted.
    pub fn id(&self) -> Option<&str> {
        match &self.reply {
            Reply::Accepted(id) => Some(id),
            _ => None,
        }
    }
}

impl Run {
    /// The ids that the clients got.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().filter_map(Answer::id)
    }

    /// The time when an order's row was written, or, if it wasn't accepted, when the client got its answer.
    pub fn settled(&self, answer: &Answer) -> Duration {
        let row = answer.id().and_then(|id| self.written.get(id));
        row.copied().unwrap_or_else(|| answer.at())
    }

    /// The time when the last order was settled.
    pub fn drained(&self) -> Duration {
        let settled = self.answers.iter().map(|answer| self.settled(answer));
        settled.max().unwrap_or_default()
    }
}
