//! `SendMessage` and `SendMessageBatch`.

use super::{
    Sqs,
    batch::{self, BatchResult, Entry},
    clock,
    error::SqsError,
    md5,
    message::{MAXIMUM_MESSAGE_SIZE, size},
    message_attribute::{self, MessageAttribute, has_valid_characters},
    queue::name_of,
    store::{self, Queue},
    wire::{Head, or_default},
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    message: NewMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessageBatch {
    queue_url: String,
    #[serde(default, deserialize_with = "or_default")]
    entries: Vec<Entry<NewMessage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewMessage {
    #[serde(default, deserialize_with = "or_default")]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    message_attributes: BTreeMap<String, MessageAttribute>,
    #[serde(default, deserialize_with = "or_default")]
    message_system_attributes: BTreeMap<String, MessageAttribute>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sent {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5: String,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_attributes: Option<String>,
    #[serde(
        rename = "MD5OfMessageSystemAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_system_attributes: Option<String>,
}

impl Sqs {
    pub(super) fn send_message(
        &self,
        head: &Head,
        request: &SendMessage,
    ) -> Result<Sent, SqsError> {
        let sent = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            send(tables, &queue, &request.message, head)
        })?;
        self.0.arrivals.notify_waiters();
        Ok(sent)
    }

    pub(super) fn send_message_batch(
        &self,
        head: &Head,
        request: &SendMessageBatch,
    ) -> Result<BatchResult<Sent>, SqsError> {
        let sent = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            batch::check("SendMessage", &request.entries)?;
            let bytes = request
                .entries
                .iter()
                .map(|entry| {
                    size(
                        &entry.content.message_body,
                        &entry.content.message_attributes,
                    )
                })
                .sum();
            if bytes > MAXIMUM_MESSAGE_SIZE {
                return Err(SqsError::BatchRequestTooLong {
                    limit: MAXIMUM_MESSAGE_SIZE,
                    sent: bytes,
                });
            }
            batch::each(&request.entries, |message| {
                send(tables, &queue, message, head)
            })
        })?;
        self.0.arrivals.notify_waiters();
        Ok(sent)
    }
}

fn send(
    tables: &Connection,
    queue: &Queue,
    message: &NewMessage,
    head: &Head,
) -> Result<Sent, SqsError> {
    message.check(queue)?;
    let now = clock::now();
    let delay = message
        .delay_seconds
        .map_or(queue.attributes.delay_ms, |seconds| seconds * 1000);
    let sent = Sent {
        message_id: Uuid::new_v4().to_string(),
        md5: md5::of_body(&message.message_body),
        md5_of_message_attributes: md5::of_attributes(&message.message_attributes),
        md5_of_message_system_attributes: md5::of_attributes(&message.message_system_attributes),
    };
    let message_attributes = if message.message_attributes.is_empty() {
        None
    } else {
        Some(serde_json::to_string(&message.message_attributes)?)
    };
    let trace_header = message
        .message_system_attributes
        .get("AWSTraceHeader")
        .and_then(|header| header.string_value.as_ref())
        .or(head.trace.as_ref());
    tables
        .prepare_cached(
            "INSERT INTO message
                (queue, id, body, md5, message_attributes, group_id, trace_header, sent_at, visible_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            queue.id,
            sent.message_id,
            message.message_body,
            sent.md5,
            message_attributes,
            message.message_group_id,
            trace_header,
            now,
            clock::after(now, delay)
        ])?;
    Ok(sent)
}

impl NewMessage {
    fn check(&self, queue: &Queue) -> Result<(), SqsError> {
        if self.message_body.is_empty() {
            return Err(SqsError::MissingParameter("MessageBody"));
        }
        if size(&self.message_body, &self.message_attributes)
            > queue.attributes.maximum_message_size
        {
            return Err(SqsError::MessageTooLong(
                queue.attributes.maximum_message_size,
            ));
        }
        if !has_valid_characters(&self.message_body) {
            return Err(SqsError::InvalidMessageContents);
        }
        if self.message_attributes.len() > 10 {
            let reason = "A message can have at most 10 attributes.";
            let count = self.message_attributes.len();
            return Err(SqsError::invalid("MessageAttributes", count, reason));
        }
        for (name, attribute) in &self.message_attributes {
            message_attribute::check(name, attribute)?;
        }
        for (name, attribute) in &self.message_system_attributes {
            if name != "AWSTraceHeader" || attribute.data_type != "String" {
                let reason = "The only system attribute is AWSTraceHeader, a String.";
                return Err(SqsError::invalid("MessageSystemAttributes", name, reason));
            }
            message_attribute::check(name, attribute)?;
        }
        if let Some(seconds) = self.delay_seconds.filter(|s| !(0..=900).contains(s)) {
            let reason = "DelaySeconds must be >= 0 and <= 900.";
            return Err(SqsError::invalid("DelaySeconds", seconds, reason));
        }
        if let Some(group) = &self.message_group_id
            && (!(1..=128).contains(&group.len()) || !group.chars().all(|c| c.is_ascii_graphic()))
        {
            let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
            return Err(SqsError::invalid("MessageGroupId", group, reason));
        }
        if let Some(id) = &self.message_deduplication_id {
            let reason = "The request includes a parameter that is not valid for this queue type.";
            return Err(SqsError::invalid("MessageDeduplicationId", id, reason));
        }
        Ok(())
    }
}
