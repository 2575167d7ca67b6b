//! Reads the records of an SQS batch one by one. Several records with the same order count as one order. Two orders under one
//! idempotency key share an id, but count as two.

use crate::disposition::{Cause, Owner, Settled};
use aws_lambda_events::sqs::SqsMessage;
use events::{OrderPlaced, placed::NotAnOrderPlaced};
use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Maximum bytes of a row beyond its message: outcome, time, total and the attributes' names.
const ROW_OVERHEAD: usize = 256;

/// A parsed SQS batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first record of each order. Those with the most deliveries come first, because there may not be time for all; the
    /// others keep their sequence of arrival.
    pub orders: Vec<Pending>,
    /// The records with the order of an earlier record.
    pub duplicates: Vec<Duplicate>,
    /// The records that this version can't read as orders.
    pub unread: Vec<(Record, Cause)>,
}

/// A record, by its index in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record(pub usize);

/// An order to be stored, and its record.
#[derive(Debug)]
pub struct Pending {
    /// The order's record.
    pub record: Record,
    /// Maximum bytes that the order's row may have.
    pub bytes: usize,
    /// The record's receive count, this delivery included, or that of its most delivered duplicate.
    pub receives: u32,
    /// The order.
    pub placed: OrderPlaced,
}

impl Pending {
    /// Returns the order as the owner of its id's row, with this outcome.
    pub fn owner(&self, settled: Option<Settled>) -> Owner {
        Owner {
            fingerprint: self.placed.fingerprint().as_str().to_owned(),
            settled,
        }
    }
}

/// A record with the same id and fingerprint as an earlier record of the batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The later record.
    pub record: Record,
    /// The earlier record.
    pub of: Record,
}

/// Reads a batch. A record that can't be read, makes the reader panic, or has an order that is too old does not affect the
/// others.
pub fn read_batch(records: &[SqsMessage], is_too_old: impl Fn(&OrderPlaced) -> bool) -> Batch {
    read_each(records, |record, message| {
        let order = read(record, message)?;
        if is_too_old(&order.placed) {
            let order_id = order.placed.id();
            tracing::error!(%order_id, "the order is older than KEEP_DAYS: its row may have expired, so it isn't stored");
            return Err(Cause::Record);
        }
        Ok(order)
    })
}

/// Returns a message's receive count, this delivery included.
pub fn receives(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// Returns the time of a message's first delivery.
pub fn first_received(record: &SqsMessage) -> Option<SystemTime> {
    let millis = record.attributes.get("ApproximateFirstReceiveTimestamp")?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis.parse().ok()?))
}

fn read_each(
    records: &[SqsMessage],
    read: impl Fn(Record, &SqsMessage) -> Result<Pending, Cause>,
) -> Batch {
    let mut batch = Batch::default();
    let mut seen = HashMap::new();
    for (n, message) in records.iter().enumerate() {
        let record = Record(n);
        let read = catch_unwind(AssertUnwindSafe(|| read(record, message))).unwrap_or_else(|_| {
            let message_id = &message.message_id;
            tracing::error!(message_id, "the reader of a record panicked");
            Err(Cause::Record)
        });
        let order = match read {
            Ok(order) => order,
            Err(cause) => {
                batch.unread.push((record, cause));
                continue;
            }
        };
        let fingerprint = order.placed.fingerprint().as_str().to_owned();
        match seen.entry((order.placed.id(), fingerprint)) {
            Entry::Vacant(entry) => {
                entry.insert(batch.orders.len());
                batch.orders.push(order);
            }
            Entry::Occupied(entry) => {
                let earlier = &mut batch.orders[*entry.get()];
                earlier.receives = earlier.receives.max(order.receives);
                let of = earlier.record;
                batch.duplicates.push(Duplicate { record, of });
            }
        }
    }
    batch.orders.sort_by_key(|order| Reverse(order.receives));
    batch
}

fn read(record: Record, message: &SqsMessage) -> Result<Pending, Cause> {
    let body = message.body.as_deref().unwrap_or_default();
    match OrderPlaced::from_json(body) {
        Ok(placed) => Ok(Pending {
            record,
            bytes: body.len() + ROW_OVERHEAD,
            receives: receives(message),
            placed,
        }),
        Err(error) => {
            let message_id = &message.message_id;
            tracing::error!(message_id, %error, "could not read a record as an order");
            // A later version waits for a worker that knows it, as long as its deliveries last.
            let is_later = matches!(error, NotAnOrderPlaced::Version(_));
            Err(if is_later {
                Cause::Worker
            } else {
                Cause::Record
            })
        }
    }
}

#[cfg(test)]
mod tests;
