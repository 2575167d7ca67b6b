//! Messages in SQLite, so that they survive a restart.

use super::{attributes::Attributes, clock::now, error::SqsError};
use anyhow::Context;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params, types::Type};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Times are milliseconds since 1970. A message is in flight while it has a receipt and isn't visible; without a receipt it is
/// delayed.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        modified_at INTEGER NOT NULL,
        attributes TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        md5 TEXT NOT NULL,
        message_attributes TEXT,
        group_id TEXT,
        trace_header TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receipt TEXT,
        received_at INTEGER,
        first_received_at INTEGER,
        receive_count INTEGER NOT NULL DEFAULT 0,
        dead_letter_source TEXT
    );
    CREATE INDEX IF NOT EXISTS message_by_visibility ON message (queue, visible_at, seq, receipt);
    CREATE INDEX IF NOT EXISTS message_by_age ON message (queue, sent_at);
";

/// The queues and messages. Every call is one short transaction.
pub struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens a file, or memory. In a file, committed calls survive the end of this process, however it ends.
    pub fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let connection = match file {
            Some(file) => {
                Connection::open(file).with_context(|| format!("opening {}", file.display()))?
            }
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        // In memory the journal stays `memory`: SQLite answers with the actual mode.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Runs `work` and commits its writes, unless it fails.
    pub fn transaction<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqsError>,
    ) -> Result<T, SqsError> {
        // If another call panicked, its transaction was rolled back, so the store is sound.
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

/// A queue as it is stored.
pub struct Queue {
    pub id: i64,
    pub name: String,
    pub created_at: i64,
    pub modified_at: i64,
    pub attributes: Attributes,
}

pub fn find_queue(tables: &Connection, name: &str) -> Result<Queue, SqsError> {
    tables
        .prepare_cached(
            "SELECT id, name, created_at, modified_at, attributes FROM queue WHERE name = ?1",
        )?
        .query_row([name], read_queue)
        .optional()?
        .ok_or(SqsError::QueueDoesNotExist)
}

/// The queues after a name, sorted by name.
pub fn queues_after(tables: &Connection, name: &str) -> Result<Vec<Queue>, SqsError> {
    let mut select = tables.prepare_cached(
        "SELECT id, name, created_at, modified_at, attributes FROM queue WHERE name > ?1 ORDER BY name",
    )?;
    Ok(select
        .query_map([name], read_queue)?
        .collect::<Result<_, _>>()?)
}

fn read_queue(row: &Row) -> rusqlite::Result<Queue> {
    let attributes: String = row.get(4)?;
    let attributes = serde_json::from_str(&attributes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
    })?;
    Ok(Queue {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        modified_at: row.get(3)?,
        attributes,
    })
}

pub fn insert_queue(
    tables: &Connection,
    name: &str,
    attributes: &Attributes,
) -> Result<(), SqsError> {
    tables.execute(
        "INSERT INTO queue (name, created_at, modified_at, attributes) VALUES (?1, ?2, ?2, ?3)",
        params![name, now(), serde_json::to_string(attributes)?],
    )?;
    Ok(())
}

pub fn update_queue(tables: &Connection, id: i64, attributes: &Attributes) -> Result<(), SqsError> {
    tables.execute(
        "UPDATE queue SET attributes = ?2, modified_at = ?3 WHERE id = ?1",
        params![id, serde_json::to_string(attributes)?, now()],
    )?;
    Ok(())
}

/// Deletes the messages that are too old, in flight or not.
pub fn expire(tables: &Connection, queue: &Queue, now: i64) -> Result<(), SqsError> {
    tables
        .prepare_cached("DELETE FROM message WHERE queue = ?1 AND sent_at <= ?2")?
        .execute([queue.id, now - queue.attributes.retention_ms])?;
    Ok(())
}

/// The numbers of a queue's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

/// Counts the messages of a queue that aren't too old.
pub fn depth(tables: &Connection, queue: &Queue) -> Result<Depth, SqsError> {
    let now = now();
    expire(tables, queue, now)?;
    let count = |row: &Row, column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(tables
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
                count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
            FROM message WHERE queue = ?1",
        )?
        .query_row([queue.id, now], |row| {
            Ok(Depth {
                visible: count(row, 0)?,
                in_flight: count(row, 1)?,
                delayed: count(row, 2)?,
            })
        })?)
}
