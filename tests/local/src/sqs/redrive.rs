//! The move to the dead-letter queue.

use super::{
    Sqs, arn,
    attributes::queue_name,
    clock,
    error::SqsError,
    queue::{self, name_of},
    store::{self, Queue},
    wire::{Head, or_default},
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListDeadLetterSourceQueues {
    queue_url: String,
    max_results: Option<i64>,
    /// The name of the last queue listed.
    #[serde(default, deserialize_with = "or_default")]
    next_token: String,
}

#[derive(Serialize)]
pub struct DeadLetterSourceQueues {
    /// AWS starts this name in lower case.
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Sqs {
    pub(super) fn list_dead_letter_source_queues(
        &self,
        head: &Head,
        request: &ListDeadLetterSourceQueues,
    ) -> Result<DeadLetterSourceQueues, SqsError> {
        let sources = self.0.store.transaction(|tables| {
            let dead_letters = store::find_queue(tables, name_of(&request.queue_url))?;
            sources(tables, &dead_letters.name, &request.next_token)
        })?;
        let (sources, next_token) = queue::page(sources, request.max_results)?;
        Ok(DeadLetterSourceQueues {
            queue_urls: self.queue_urls(head, &sources),
            next_token,
        })
    }
}

/// The queue's dead-letter queue.
pub struct DeadLetters {
    queue_id: i64,
    pub max_receive_count: u32,
}

impl DeadLetters {
    /// Returns `None` without a redrive policy, or while its dead-letter queue doesn't exist: then messages stay.
    pub fn of(tables: &Connection, queue: &Queue) -> Result<Option<Self>, SqsError> {
        let Some(redrive) = &queue.attributes.redrive else {
            return Ok(None);
        };
        Ok(tables
            .prepare_cached("SELECT id FROM queue WHERE name = ?1")?
            .query_row([&redrive.dead_letter_queue], |row| row.get(0))
            .optional()?
            .map(|queue_id| Self {
                queue_id,
                max_receive_count: redrive.max_receive_count,
            }))
    }

    /// The messages keep their id, their receive count and their send time, from which they still expire.
    pub fn take(
        &self,
        tables: &Connection,
        source: &Queue,
        messages: &[i64],
        now: i64,
    ) -> Result<(), SqsError> {
        let mut update = tables.prepare_cached(
            "UPDATE message SET queue = ?2, visible_at = ?3, receipt = NULL, dead_letter_source = ?4
            WHERE seq = ?1",
        )?;
        for seq in messages {
            update.execute(params![seq, self.queue_id, now, arn(&source.name)])?;
        }
        Ok(())
    }
}

/// Moves visible messages, oldest first. To AWS a moved message is a new one: it has a new id, and its age and receive count
/// start from zero.
pub fn move_oldest(
    tables: &Connection,
    source: &Queue,
    destination_arn: Option<&str>,
    most: Option<u16>,
) -> Result<usize, SqsError> {
    let now = clock::now();
    store::expire(tables, source, now)?;
    let messages: Vec<(i64, Option<String>)> = tables
        .prepare_cached(
            "SELECT seq, dead_letter_source FROM message WHERE queue = ?1 AND visible_at <= ?2
            ORDER BY visible_at, seq LIMIT ?3",
        )?
        .query_map(params![source.id, now, most.map_or(-1, i64::from)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut update = tables.prepare_cached(
        "UPDATE message SET queue = ?2, id = ?3, sent_at = ?4, visible_at = ?4, receipt = NULL,
            received_at = NULL, first_received_at = NULL, receive_count = 0, dead_letter_source = NULL
        WHERE seq = ?1",
    )?;
    for (seq, origin) in &messages {
        let destination = destination_arn
            .or(origin.as_deref())
            .ok_or(SqsError::ResourceNotFound("CouldNotDetermineMessageSource"))?;
        let destination = find_by_arn(tables, destination, SqsError::QueueDoesNotExist)?;
        update.execute(params![
            seq,
            destination.id,
            Uuid::new_v4().to_string(),
            now
        ])?;
    }
    Ok(messages.len())
}

/// The queues after a name that use this one as their dead-letter queue.
pub fn sources(
    tables: &Connection,
    dead_letter_queue: &str,
    after: &str,
) -> Result<Vec<Queue>, SqsError> {
    let mut queues = store::queues_after(tables, after)?;
    queues.retain(|queue| {
        let redrive = queue.attributes.redrive.as_ref();
        redrive.is_some_and(|redrive| redrive.dead_letter_queue == dead_letter_queue)
    });
    Ok(queues)
}

/// The queue that an ARN names; otherwise the error `missing`.
pub fn find_by_arn(
    tables: &Connection,
    queue_arn: &str,
    missing: SqsError,
) -> Result<Queue, SqsError> {
    let Some(name) = queue_name(queue_arn) else {
        return Err(missing);
    };
    match store::find_queue(tables, name) {
        Err(SqsError::QueueDoesNotExist) => Err(missing),
        found => found,
    }
}
