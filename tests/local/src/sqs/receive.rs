//! `ReceiveMessage`.

use super::{
    Sqs, clock,
    error::SqsError,
    fate::{Fate, Fates},
    in_flight::Handle,
    md5,
    message::Message,
    queue::name_of,
    redrive::DeadLetters,
    store::{self, Queue},
    wire::or_default,
};
use crate::template::model::ACCOUNT;
use rusqlite::{Connection, Row, params, types::Type};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// The maximum number of a queue's messages in flight.
const MAXIMUM_IN_FLIGHT: usize = 120_000;

const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    wait_time_seconds: Option<i64>,
    visibility_timeout: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    attribute_names: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    message_system_attribute_names: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    message_attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Messages {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

impl Sqs {
    pub(super) async fn receive_message(
        &self,
        mut request: ReceiveMessage,
    ) -> Result<Messages, SqsError> {
        request.check()?;
        let max = request.max_number_of_messages;
        let max = max.and_then(|max| usize::try_from(max).ok());
        let wait = request.wait_time_seconds;
        let wait = wait.and_then(|wait| u64::try_from(wait).ok());
        let mut messages = self
            .poll(
                name_of(&request.queue_url),
                max.unwrap_or(1),
                wait.map(Duration::from_secs),
                request.visibility_timeout.map(|seconds| seconds * 1000),
                &|_| None,
            )
            .await?;
        let mut system_attributes = request.attribute_names;
        system_attributes.append(&mut request.message_system_attribute_names);
        for message in &mut messages {
            message.retain(&system_attributes, &request.message_attribute_names);
        }
        Ok(Messages { messages })
    }

    /// Receives as soon as there is a message; returns nothing at the end of `wait`, by default the queue's.
    pub(super) async fn poll(
        &self,
        queue: &str,
        max: usize,
        wait: Option<Duration>,
        visibility_timeout_ms: Option<i64>,
        fate: &Fate<'_>,
    ) -> Result<Vec<Message>, SqsError> {
        let started = Instant::now();
        loop {
            // The waiter is made before the check, so that a message that arrives between check and wait isn't missed.
            let arrival = self.0.arrivals.notified();
            let (received, queue_wait) = self.0.store.transaction(|tables| {
                let queue = store::find_queue(tables, queue)?;
                let queue_wait = u64::try_from(queue.attributes.receive_wait_ms).unwrap_or(0);
                let received = receive(tables, &queue, max, visibility_timeout_ms, fate)?;
                Ok((received, Duration::from_millis(queue_wait)))
            })?;
            if received.dead_lettered {
                self.0.arrivals.notify_waiters();
            }
            let end = started + wait.unwrap_or(queue_wait);
            if !received.messages.is_empty() || Instant::now() >= end {
                return Ok(received.messages);
            }
            let look_again = received
                .next_visible_in
                .map_or(end, |next| end.min(Instant::now() + next));
            tokio::select! {
                () = arrival => {}
                () = sleep_until(look_again) => {}
            }
        }
    }
}

impl ReceiveMessage {
    fn check(&self) -> Result<(), SqsError> {
        if let Some(max) = self
            .max_number_of_messages
            .filter(|max| !(1..=10).contains(max))
        {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(SqsError::invalid("MaxNumberOfMessages", max, reason));
        }
        if let Some(wait) = self
            .wait_time_seconds
            .filter(|wait| !(0..=20).contains(wait))
        {
            let reason = "Must be >= 0 and <= 20, if provided.";
            return Err(SqsError::invalid("WaitTimeSeconds", wait, reason));
        }
        if let Some(timeout) = self
            .visibility_timeout
            .filter(|t| !(0..=43_200).contains(t))
        {
            let reason = "Must be between 0 and 43200, if provided.";
            return Err(SqsError::invalid("VisibilityTimeout", timeout, reason));
        }
        let mut asked = self
            .attribute_names
            .iter()
            .chain(&self.message_system_attribute_names);
        match asked.find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str())) {
            Some(unknown) => Err(SqsError::InvalidAttributeName(unknown.clone())),
            None => Ok(()),
        }
    }
}

struct Received {
    messages: Vec<Message>,
    /// Whether messages went to the dead-letter queue instead.
    dead_lettered: bool,
    /// Time until the next hidden message becomes visible.
    next_visible_in: Option<Duration>,
}

fn receive(
    tables: &Connection,
    queue: &Queue,
    max: usize,
    visibility_timeout_ms: Option<i64>,
    fate: &Fate<'_>,
) -> Result<Received, SqsError> {
    let now = clock::now();
    store::expire(tables, queue, now)?;
    let max = max.min(MAXIMUM_IN_FLIGHT - in_flight(tables, queue, now)?);
    if max == 0 {
        return Err(SqsError::OverLimit);
    }
    let dead_letters = DeadLetters::of(tables, queue)?;
    let mut select = tables.prepare_cached(
        "SELECT seq, id, body, md5, message_attributes, group_id, trace_header, sent_at,
            coalesce(first_received_at, ?2), receive_count + 1, dead_letter_source
        FROM message WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, seq",
    )?;
    let mut rows = select.query([queue.id, now])?;
    let (mut messages, mut exhausted) = (Vec::new(), Vec::new());
    let mut fates = Fates::default();
    while messages.len() < max
        && let Some(row) = rows.next()?
    {
        let receive_count: u32 = row.get(9)?;
        match &dead_letters {
            Some(dead_letters) if receive_count > dead_letters.max_receive_count => {
                exhausted.push(row.get(0)?);
            }
            _ => {
                let (seq, message) = read_message(row)?;
                messages.extend(fates.meet(seq, message, fate));
            }
        }
    }
    drop(rows);
    fates.write(tables, now)?;
    let room = max - messages.len();
    messages.extend(fates.overtaken.into_iter().take(room));
    if let Some(dead_letters) = dead_letters {
        dead_letters.take(tables, queue, &exhausted, now)?;
    }
    let hidden = visibility_timeout_ms.unwrap_or(queue.attributes.visibility_timeout_ms);
    let mut update = tables.prepare_cached(
        "UPDATE message SET visible_at = ?2, receipt = ?3, received_at = ?4,
            first_received_at = coalesce(first_received_at, ?4), receive_count = receive_count + 1
        WHERE seq = ?1",
    )?;
    let mut received = Vec::with_capacity(messages.len());
    for (seq, mut message) in messages {
        let receipt = Uuid::new_v4().to_string();
        let early = fates.early.get(&seq).copied().map(clock::milliseconds);
        let visible_at = clock::after(now, early.unwrap_or(hidden));
        update.execute(params![seq, visible_at, receipt, now])?;
        let id = message.id.clone();
        message.receipt_handle = Handle { seq, id, receipt }.write(queue);
        received.push(message);
    }
    let next_visible_at: Option<i64> = tables
        .prepare_cached("SELECT min(visible_at) FROM message WHERE queue = ?1 AND visible_at > ?2")?
        .query_row([queue.id, now], |row| row.get(0))?;
    Ok(Received {
        messages: received,
        dead_lettered: !exhausted.is_empty(),
        next_visible_in: next_visible_at
            .and_then(|at| u64::try_from(at - now).ok())
            .map(Duration::from_millis),
    })
}

fn in_flight(tables: &Connection, queue: &Queue, now: i64) -> Result<usize, SqsError> {
    Ok(tables
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM message
            WHERE queue = ?1 AND visible_at > ?2 AND receipt IS NOT NULL LIMIT ?3)",
        )?
        .query_row(params![queue.id, now, MAXIMUM_IN_FLIGHT], |row| row.get(0))?)
}

fn read_message(row: &Row) -> rusqlite::Result<(i64, Message)> {
    let message_attributes = match row.get::<_, Option<String>>(4)? {
        Some(json) => serde_json::from_str(&json).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
        })?,
        None => BTreeMap::new(),
    };
    let mut attributes = BTreeMap::from([("SenderId".to_owned(), ACCOUNT.to_owned())]);
    for (name, column) in [
        ("SentTimestamp", 7),
        ("ApproximateFirstReceiveTimestamp", 8),
        ("ApproximateReceiveCount", 9),
    ] {
        attributes.insert(name.to_owned(), row.get::<_, i64>(column)?.to_string());
    }
    for (name, column) in [
        ("MessageGroupId", 5),
        ("AWSTraceHeader", 6),
        ("DeadLetterQueueSourceArn", 10),
    ] {
        if let Some(value) = row.get(column)? {
            attributes.insert(name.to_owned(), value);
        }
    }
    let message = Message {
        id: row.get(1)?,
        receipt_handle: String::new(),
        body: row.get(2)?,
        md5: row.get(3)?,
        attributes,
        md5_of_message_attributes: md5::of_attributes(&message_attributes),
        message_attributes,
    };
    Ok((row.get(0)?, message))
}
