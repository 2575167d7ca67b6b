//! Keeps SQS standard queues on SQLite.
//!
//! # Layout
//! - `wire`: the AWS JSON 1.0 protocol; one arm for each operation
//! - `queue`, `attributes`: queues with their attributes, and the operations on them
//! - `send`, `receive`, `in_flight`, `batch`: the operations on messages
//! - `fate`: faults in a delivery
//! - `redrive`: to a dead-letter queue and back; `move_task`: the operations for the way back
//! - `peek`: reads messages without receiving them
//! - `message`, `message_attribute`, `md5`: messages and their rules, and digests
//! - `store`: the tables and their transactions; `clock`: their times
//! - `error`: every refusal with its codes
//!
//! Left out, because nothing here needs it: FIFO queues, permissions, tags, encryption, and the 60 seconds that AWS requires
//! between two purges of a queue, and before a deleted queue's name may be reused.

mod attributes;
mod batch;
mod clock;
mod error;
mod fate;
mod in_flight;
pub mod md5;
mod message;
mod message_attribute;
mod move_task;
mod peek;
mod queue;
mod receive;
mod redrive;
mod send;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use crate::template::model::{self, ACCOUNT, REGION};
use attributes::Attributes;
pub use attributes::queue_name;
use error::SqsError;
pub use fate::Fate;
pub use message::Message;
pub use message_attribute::MessageAttribute;
use move_task::MoveTask;
pub(crate) use peek::Peeked;
use serde_json::json;
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::Store;
use tokio::sync::Notify;
pub use wire::Head;

/// Every queue of the account; clones share them.
#[derive(Clone)]
pub struct Sqs(Arc<Shared>);

struct Shared {
    store: Store,
    endpoint: String,
    /// Notified when a message may have become visible sooner than a long poll expects.
    arrivals: Notify,
    /// The redrives, newest last. A restart forgets them; messages that they moved stay moved.
    move_tasks: Mutex<Vec<MoveTask>>,
}

impl Sqs {
    /// Opens the queues stored in `file`; `None`: an empty store in memory. `endpoint` is the base of queue URLs:
    /// `http://127.0.0.1:3001`.
    pub fn open(file: Option<&Path>, endpoint: &str) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Shared {
            store: Store::open(file)?,
            endpoint: endpoint.to_owned(),
            arrivals: Notify::new(),
            move_tasks: Mutex::default(),
        })))
    }

    /// Creates a queue of the template. An existing queue keeps its messages and gets the new attributes.
    pub fn create(&self, queue: &model::Queue) -> anyhow::Result<()> {
        let attributes = Attributes::from(queue);
        self.0
            .store
            .transaction(|tables| match store::find_queue(tables, &queue.name) {
                Ok(existing) => store::update_queue(tables, existing.id, &attributes),
                Err(SqsError::QueueDoesNotExist) => {
                    store::insert_queue(tables, &queue.name, &attributes)
                }
                Err(error) => Err(error),
            })?;
        Ok(())
    }

    /// Receives at most `max` messages with all their attributes, and waits up to `wait` for the first. Unlike
    /// `ReceiveMessage`, it accepts a `max` over 10, as an event source mapping may have.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
    ) -> anyhow::Result<Vec<Message>> {
        self.deliver(queue, max, wait, &|_| None).await
    }

    /// Receives like [`Sqs::receive`]; `fate` decides on a fault in each message's delivery, by its body.
    pub async fn deliver(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
        fate: &Fate<'_>,
    ) -> anyhow::Result<Vec<Message>> {
        Ok(self.poll(queue, max, Some(wait), None, fate).await?)
    }

    /// Sends a message on behalf of another service of the account.
    pub fn send(&self, queue: &str, body: &str) -> anyhow::Result<()> {
        let request = json!({"QueueUrl": url(&self.0.endpoint, queue), "MessageBody": body});
        self.send_message(&Head::default(), &serde_json::from_value(request)?)?;
        Ok(())
    }

    /// Deletes received messages. A handle that a later receive has replaced deletes nothing.
    pub fn delete(&self, queue: &str, receipt_handles: &[String]) -> anyhow::Result<()> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, queue)?;
            receipt_handles
                .iter()
                .try_for_each(|handle| in_flight::delete(tables, &queue, handle))
        })?;
        Ok(())
    }
}

/// The ARN of a queue.
pub fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The URL of a queue.
pub fn url(endpoint: &str, name: &str) -> String {
    format!("{endpoint}/{ACCOUNT}/{name}")
}
