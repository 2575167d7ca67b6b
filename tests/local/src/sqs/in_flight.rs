//! Messages in flight: received, but neither deleted nor visible again.

use super::{
    Sqs,
    batch::{self, BatchResult, Entry},
    clock,
    error::SqsError,
    queue::{Done, name_of},
    store::{self, Queue},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

/// 12 hours, counted from the receive.
const MAXIMUM_VISIBILITY_TIMEOUT_SECONDS: i64 = 43_200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForQueue<T> {
    queue_url: String,
    #[serde(flatten)]
    content: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchForQueue<T> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<Entry<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteMessage {
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeMessageVisibility {
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl Sqs {
    pub(super) fn delete_message(
        &self,
        request: &ForQueue<DeleteMessage>,
    ) -> Result<Done, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            delete(tables, &queue, &request.content.receipt_handle)
        })?;
        Ok(Done {})
    }

    pub(super) fn delete_message_batch(
        &self,
        request: &BatchForQueue<DeleteMessage>,
    ) -> Result<BatchResult<Done>, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            batch::check("DeleteMessage", &request.entries)?;
            batch::each(&request.entries, |entry| {
                delete(tables, &queue, &entry.receipt_handle)?;
                Ok(Done {})
            })
        })
    }

    pub(super) fn change_message_visibility(
        &self,
        request: &ForQueue<ChangeMessageVisibility>,
    ) -> Result<Done, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            change_visibility(tables, &queue, &request.content)
        })?;
        self.0.arrivals.notify_waiters();
        Ok(Done {})
    }

    pub(super) fn change_message_visibility_batch(
        &self,
        request: &BatchForQueue<ChangeMessageVisibility>,
    ) -> Result<BatchResult<Done>, SqsError> {
        let changed = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            batch::check("ChangeMessageVisibility", &request.entries)?;
            batch::each(&request.entries, |entry| {
                change_visibility(tables, &queue, entry)?;
                Ok(Done {})
            })
        })?;
        self.0.arrivals.notify_waiters();
        Ok(changed)
    }
}

/// Succeeds but deletes nothing if a later receive replaced the handle: another receiver may have the message. AWS reserves
/// the right to do so.
pub fn delete(tables: &Connection, queue: &Queue, receipt_handle: &str) -> Result<(), SqsError> {
    let handle = Handle::read(queue, receipt_handle)?;
    tables
        .prepare_cached(
            "DELETE FROM message WHERE seq = ?1 AND queue = ?2 AND id = ?3 AND receipt = ?4",
        )?
        .execute(params![handle.seq, queue.id, handle.id, handle.receipt])?;
    Ok(())
}

/// Accepts the handle of any receive, as recorded on AWS: a message that another receiver has by now, or that is visible
/// again, is still hidden.
fn change_visibility(
    tables: &Connection,
    queue: &Queue,
    change: &ChangeMessageVisibility,
) -> Result<(), SqsError> {
    let refuse =
        |parameter, value: &str, reason: &str| Err(SqsError::invalid(parameter, value, reason));
    let Some(seconds) = change.visibility_timeout else {
        return Err(SqsError::MissingParameter("VisibilityTimeout"));
    };
    if !(0..=MAXIMUM_VISIBILITY_TIMEOUT_SECONDS).contains(&seconds) {
        let reason = "VisibilityTimeout must be between 0 and 43200.";
        return refuse("VisibilityTimeout", &seconds.to_string(), reason);
    }
    let handle = Handle::read(queue, &change.receipt_handle)?;
    let now = clock::now();
    let received_at: Option<i64> = tables
        .prepare_cached(
            "SELECT received_at FROM message
            WHERE seq = ?1 AND queue = ?2 AND id = ?3 AND receipt IS NOT NULL",
        )?
        .query_row(params![handle.seq, queue.id, handle.id], |row| row.get(0))
        .optional()?;
    match received_at {
        None => {
            let reason =
                "Message does not exist or is not available for visibility timeout change.";
            refuse("ReceiptHandle", &change.receipt_handle, reason)
        }
        Some(received_at)
            if (now - received_at) / 1000 + seconds > MAXIMUM_VISIBILITY_TIMEOUT_SECONDS =>
        {
            let reason =
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            refuse("VisibilityTimeout", &seconds.to_string(), reason)
        }
        Some(_) => {
            tables
                .prepare_cached("UPDATE message SET visible_at = ?2 WHERE seq = ?1")?
                .execute([handle.seq, clock::after(now, seconds * 1000)])?;
            Ok(())
        }
    }
}

/// The receipt handle of one receive of a message.
pub struct Handle {
    pub seq: i64,
    /// The message's id. A message that was moved back from a dead-letter queue has a new id, and so has one that reuses the
    /// `seq` of a deleted message.
    pub id: String,
    pub receipt: String,
}

impl Handle {
    pub fn write(&self, queue: &Queue) -> String {
        let Self { seq, id, receipt } = self;
        URL_SAFE_NO_PAD.encode(format!("{}/{seq}/{id}/{receipt}", queue.id))
    }

    /// Parses a handle of this queue.
    fn read(queue: &Queue, handle: &str) -> Result<Self, SqsError> {
        let read = || {
            let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
            let (queue_id, rest) = decoded.split_once('/')?;
            let (seq, rest) = rest.split_once('/')?;
            let (id, receipt) = rest.split_once('/')?;
            let seq = seq.parse().ok()?;
            (queue_id.parse() == Ok(queue.id)).then(|| Self {
                seq,
                id: id.to_owned(),
                receipt: receipt.to_owned(),
            })
        };
        read().ok_or_else(|| SqsError::ReceiptHandleIsInvalid(handle.to_owned()))
    }
}
