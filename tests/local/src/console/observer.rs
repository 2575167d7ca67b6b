//! Hears of the calls and deliveries that the console shows. It is told always, so it does as little as it can.

use super::{
    counts::Counts,
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

/// The most bytes of an answer that is read: `DynamoDB`'s limit for a request, the largest of all.
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

/// The counts, and the ways of the latest orders.
#[derive(Debug, Default)]
pub struct Observer {
    /// Name of the orders' queue.
    queue: String,
    /// Name of the orders' table.
    table: String,
    pub(super) counts: Counts,
    journal: Mutex<Journal>,
}

/// A call whose answer is to be seen.
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
    /// Watches the queue and the table of these names.
    pub fn new(queue: &str, table: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            table: table.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of a call before it is done. None if its answer doesn't matter.
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

    /// Hears that a function received messages of a queue.
    pub(crate) fn received<'m>(&self, queue: &str, messages: impl Iterator<Item = &'m Message>) {
        if queue != self.queue {
            return;
        }
        let now = Timestamp::now();
        let order = |message: &Message| {
            let number = |name| message.attributes.get(name)?.parse::<i64>().ok();
            let sent = number("SentTimestamp").map(Timestamp::from_millisecond);
            let sent = sent.and_then(Result::ok).unwrap_or(now);
            let count = number("ApproximateReceiveCount").map(u32::try_from);
            let count = count.and_then(Result::ok).unwrap_or_default();
            Some((wire::order_id(&message.body)?, sent, count))
        };
        // The bodies are read before the journal is locked.
        let received: Vec<_> = messages.filter_map(order).collect();
        let mut journal = self.journal();
        for (id, sent, count) in received {
            journal.received(&id, sent, now, count);
        }
    }

    /// The queue took all but the entries that failed.
    fn sent(&self, request: &[u8], failed: &[String]) {
        let Ok(send) = serde_json::from_slice::<Send>(request) else {
            return;
        };
        if send.queue_url.rsplit('/').next() != Some(&self.queue) {
            return;
        }
        let entries = send.entries.into_iter();
        let taken = entries.filter(|entry| !failed.contains(&entry.id));
        let bodies = taken
            .map(|entry| entry.message_body)
            .chain(send.message_body);
        let ids: Vec<_> = bodies.filter_map(|body| wire::order_id(&body)).collect();
        self.counts.accepted.fetch_add(count(&ids), Relaxed);
        let now = Timestamp::now();
        let mut journal = self.journal();
        for id in ids {
            journal.accepted(&id, now);
        }
    }

    /// The table took these rows.
    fn written(&self, puts: impl Iterator<Item = Put>) {
        let rows = puts.filter(|put| put.table_name == self.table);
        let rows: Vec<_> = rows.map(|put| put.item).collect();
        self.counts.written.fetch_add(count(&rows), Relaxed);
        let at = Timestamp::now();
        let mut journal = self.journal();
        for row in rows {
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
    /// Sees the answer, and passes it on as it is.
    pub(crate) async fn answered(
        self,
        response: io::Result<Response<Body>>,
    ) -> io::Result<Response<Body>> {
        let Self {
            observer,
            kind,
            request,
        } = self;
        let response = response?;
        let is_done = response.status() == StatusCode::OK;
        if is_done && kind != Kind::Send {
            if kind == Kind::Put {
                observer.written(serde_json::from_slice(&request).into_iter());
            } else if let Ok(transaction) = serde_json::from_slice::<Transaction>(&request) {
                let actions = transaction.transact_items.into_iter();
                observer.written(actions.filter_map(|action| action.put));
            }
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_LIMIT).await;
        let body = body.map_err(io::Error::other)?;
        match kind {
            Kind::Send if is_done => observer.sent(&request, &wire::failed(&body)),
            Kind::Send => {}
            Kind::Put | Kind::Transaction => observer.refused(&body),
        }
        Ok(Response::from_parts(head, Body::from(body)))
    }
}

fn count<T>(counted: &[T]) -> u64 {
    u64::try_from(counted.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
