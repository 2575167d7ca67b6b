//! One design under the spike, as it was seen.

use super::{books::Books, table::Attempt};
use std::{collections::HashMap, time::Duration};

/// One design under the spike. Times are counted from the start.
#[derive(Debug)]
pub struct Run {
    /// Its name in the tables.
    pub name: &'static str,
    /// One for each order that was sent.
    pub answers: Vec<Answer>,
    /// The attempts that the table saw, in the order in which they came; empty for a deployed API.
    pub attempts: Vec<Attempt>,
    /// The times at which orders were written, by id.
    pub written: HashMap<String, Duration>,
    /// Most orders that workers may have at a time: their cap, and the orders of a batch.
    pub at_once: Option<u32>,
    /// The load of this machine while orders were sent.
    pub machine: String,
    /// The differences that were found at the end.
    pub books: Books,
}

/// A client's answer for an order.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The time at which the order was to be sent.
    pub due: Duration,
    /// From then until the answer was there.
    pub latency: Duration,
    /// The answer.
    pub reply: Reply,
}

/// The kinds of answers.
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
    /// The time at which the client had it.
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
    /// The ids that clients were given.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().filter_map(Answer::id)
    }

    /// The time of an order's outcome: when its row was written, or, for one that wasn't accepted, when the client
    /// was told so.
    pub fn settled(&self, answer: &Answer) -> Duration {
        let row = answer.id().and_then(|id| self.written.get(id));
        row.copied().unwrap_or_else(|| answer.at())
    }

    /// The time at which the last order was settled.
    pub fn drained(&self) -> Duration {
        let settled = self.answers.iter().map(|answer| self.settled(answer));
        settled.max().unwrap_or_default()
    }
}
