//! Observes the calls and deliveries that the console shows. It runs all the time, so it only keeps what it observes, and
//! parses it when a page needs it.

use super::{
    counts::{Counts, Totals},
    heard::{Heard, Unread},
    journal::{Journal, Outcome},
    wire::{self, Put, Send, Transaction},
};
use crate::sqs::Message;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
};

/// The maximum size of an answer to parse: `DynamoDB`'s limit for a request, the largest of all.
const ANSWER_LIMIT: usize = 16 << 20;

const THROTTLED: [&str; 5] = [
    "ThrottlingException",
    "ThrottlingError",
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
];
const CONFLICT: [&str; 3] = [
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// The counts, and the paths of the latest orders.
#[derive(Debug, Default)]
pub struct Observer {
    /// Name of the orders' queue.
    queue: String,
    /// Name of the orders' table.
    table: String,
    pub(super) counts: Counts,
    /// Locked before the unread entries are taken, so that they are read in sequence.
    journal: Mutex<Journal>,
    unread: Mutex<Unread>,
}

/// A call whose answer is also observed.
#[derive(Debug)]
pub(crate) struct Watched {
    observer: Arc<Observer>,
    kind: Kind,
    request: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Send,
    Put,
    Transaction,
}

impl Observer {
    /// Watches the queue and the table with these names.
    pub fn new(queue: &str, table: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            table: table.to_owned(),
            ..Self::default()
        }
    }

    /// The paths of the latest orders, up to now.
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = self.unread().take();
        for (at, heard) in heard {
            self.read(&mut journal, at, &heard);
        }
        journal
    }

    /// The counts up to now. Entries that were dropped unread aren't counted: only differences between two readings are shown.
    pub(super) fn totals(&self) -> Totals {
        drop(self.journal());
        self.counts.totals()
    }

    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Observes a call before it is done. Returns `None` if its answer doesn't matter.
    pub(crate) fn call(self: &Arc<Self>, operation: &str, request: &Bytes) -> Option<Watched> {
        let kind = match operation {
            "SendMessage" | "SendMessageBatch" => Kind::Send,
            "PutItem" => Kind::Put,
            "TransactWriteItems" => Kind::Transaction,
            _ => return None,
        };
        Some(Watched {
            observer: self.clone(),
            kind,
            request: request.clone(),
        })
    }

    /// Observes that a function received messages of a queue.
    pub(crate) fn received<'m>(&self, queue: &str, messages: impl Iterator<Item = &'m Message>) {
        if queue != self.queue {
            return;
        }
        let now = Timestamp::now();
        for message in messages {
            let number = |name| message.attributes.get(name)?.parse::<i64>().ok();
            let sent = number("SentTimestamp").map(Timestamp::from_millisecond);
            let count = number("ApproximateReceiveCount").map(u32::try_from);
            let received = Heard::Received {
                body: Bytes::copy_from_slice(message.body.as_bytes()),
                sent: sent.and_then(Result::ok).unwrap_or(now),
                count: count.and_then(Result::ok).unwrap_or_default(),
            };
            self.unread().push(now, received);
        }
    }

    fn read(&self, journal: &mut Journal, at: Timestamp, heard: &Heard) {
        match heard {
            Heard::Sent { request, answer } => self.sent(journal, at, request, answer),
            Heard::Received { body, sent, count } => {
                if let Some(id) = wire::order_id(body) {
                    journal.received(&id, *sent, at, *count);
                }
            }
            Heard::Put(request) => {
                let put = serde_json::from_slice(request);
                self.written(journal, at, put.into_iter());
            }
            Heard::Transaction(request) => {
                let transaction = serde_json::from_slice::<Transaction>(request);
                let actions = transaction.into_iter().flat_map(|t| t.transact_items);
                self.written(journal, at, actions.filter_map(|action| action.put));
            }
            Heard::Refused(answer) => self.refused(answer),
        }
    }

    /// Records that the queue accepted all but the failed entries.
    fn sent(&self, journal: &mut Journal, at: Timestamp, request: &[u8], answer: &[u8]) {
        let Ok(send) = serde_json::from_slice::<Send>(request) else {
            return;
        };
        if send.queue_url.rsplit('/').next() != Some(&self.queue) {
            return;
        }
        let failed = wire::failed(answer);
        let entries = send.entries.into_iter();
        let taken = entries.filter(|entry| !failed.contains(&entry.id));
        let bodies = taken
            .map(|entry| entry.message_body)
            .chain(send.message_body);
        for id in bodies.filter_map(|body| wire::order_id(body.as_bytes())) {
            self.counts.accepted.fetch_add(1, Relaxed);
            journal.accepted(&id, at);
        }
    }

    /// Records that the table accepted these rows.
    fn written(&self, journal: &mut Journal, at: Timestamp, puts: impl Iterator<Item = Put>) {
        let rows = puts.filter(|put| put.table_name == self.table);
        for row in rows.map(|put| put.item) {
            self.counts.written.fetch_add(1, Relaxed);
            let [id, status, reason] = [row.id, row.status, row.reason].map(|text| text?.text);
            if let (Some(id), Some(status)) = (id, status) {
                journal.written(&id, Outcome { at, status, reason });
            }
        }
    }

    fn refused(&self, answer: &[u8]) {
        let codes = wire::codes(answer);
        let is = |names: &[&str]| codes.iter().any(|code| names.contains(&code.as_str()));
        if is(&THROTTLED) {
            self.counts.throttled.fetch_add(1, Relaxed);
        } else if is(&CONFLICT) {
            self.counts.conflicts.fetch_add(1, Relaxed);
        }
    }
}

impl Watched {
    /// Observes the answer, and passes it on unchanged.
    pub(crate) async fn answered(
        self,
        response: io::Result<Response<Body>>,
    ) -> io::Result<Response<Body>> {
        let Self {
            observer,
            kind,
            request,
        } = self;
        let mut response = response?;
        // A slice of a connection's buffer would keep all of it alive.
        let keep = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
        let heard = match (kind, response.status() == StatusCode::OK) {
            (Kind::Send, false) => return Ok(response),
            (Kind::Put, true) => Heard::Put(keep(&request)),
            (Kind::Transaction, true) => Heard::Transaction(keep(&request)),
            (Kind::Send, true) | (Kind::Put | Kind::Transaction, false) => {
                let (head, body) = response.into_parts();
                let body = to_bytes(body, ANSWER_LIMIT).await;
                let body = body.map_err(io::Error::other)?;
                let answer = keep(&body);
                response = Response::from_parts(head, Body::from(body));
                if kind == Kind::Send {
                    let request = keep(&request);
                    Heard::Sent { request, answer }
                } else {
                    Heard::Refused(answer)
                }
            }
        };
        observer.unread().push(Timestamp::now(), heard);
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
