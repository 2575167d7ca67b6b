//! Reads messages without receiving them, which AWS can't.

use super::{
    Sqs, clock,
    store::{self, Depth},
};
use rusqlite::{Row, params};

/// A message on its queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Peeked {
    /// The message's id.
    pub id: String,
    pub body: String,
    /// Milliseconds since 1970.
    pub sent_at: i64,
    pub receive_count: u32,
    /// Milliseconds until it can be received; `None`: it can be received now.
    pub hidden: Option<u64>,
    /// Whether a receiver has it: received, not deleted, and within its visibility timeout.
    pub in_flight: bool,
}

impl Sqs {
    /// Counts the messages of a queue; zeros for one that doesn't exist.
    pub(crate) fn depth(&self, queue: &str) -> Depth {
        let counted = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, queue)?;
            store::depth(tables, &queue)
        });
        counted.unwrap_or_default()
    }

    /// The newest messages of a queue whose body contains this text, newest first.
    pub(crate) fn peek(&self, queue: &str, text: &str, most: u32) -> Vec<Peeked> {
        let found = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, queue)?;
            let now = clock::now();
            let read = |row: &Row| {
                let visible_at: i64 = row.get(4)?;
                let hidden = u64::try_from(visible_at - now).ok().filter(|ms| *ms > 0);
                Ok(Peeked {
                    id: row.get(0)?,
                    body: row.get(1)?,
                    sent_at: row.get(2)?,
                    receive_count: row.get(3)?,
                    hidden,
                    in_flight: hidden.is_some() && row.get::<_, Option<String>>(5)?.is_some(),
                })
            };
            Ok(tables
                .prepare_cached(
                    "SELECT id, body, sent_at, receive_count, visible_at, receipt FROM message
                    WHERE queue = ?1 AND instr(body, ?2) > 0 ORDER BY sent_at DESC, seq DESC LIMIT ?3",
                )?
                .query_map(params![queue.id, text, most], read)?
                .collect::<Result<_, _>>()?)
        });
        found.unwrap_or_default()
    }
}
