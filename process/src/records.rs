//! Reads the records of an SQS batch, one by one. The same order in several records is one order; two orders under one
//! idempotency key, which have one id, are two.

use crate::disposition::{Cause, Owner, Settled};
use aws_lambda_events::sqs::SqsMessage;
use events::{OrderPlaced, placed::NotAnOrderPlaced};
use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A row has up to this many bytes beyond its message: outcome, time, total and the attributes' names.
const ROW_OVERHEAD: usize = 256;

/// An SQS batch that was read.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first record of each order. Those that were received most come first, because there may not be time for all; the
    /// others keep the order of arrival.
    pub orders: Vec<Pending>,
    /// The records that have the order of an earlier one.
    pub duplicates: Vec<Duplicate>,
    /// The records that this version can't read as orders.
    pub unread: Vec<(usize, Cause)>,
}

/// An order that is to be stored, and its record.
#[derive(Debug)]
pub struct Pending {
    /// The index of its record in the batch.
    pub record: usize,
    /// Its row has at most this many bytes.
    pub bytes: usize,
    /// Its receive count, this delivery included, or that of the duplicate that was received most.
    pub receives: u32,
    /// The order.
    pub placed: OrderPlaced,
}

impl Pending {
    /// True if one of its lines wants the article.
    pub fn wants(&self, sku: &str) -> bool {
        let mut lines = self.placed.order().lines().iter();
        lines.any(|line| line.sku() == sku)
    }

    /// The order as the one that has its id's row, with this outcome.
    pub fn owner(&self, settled: Option<Settled>) -> Owner {
        Owner {
            fingerprint: self.placed.fingerprint().as_str().to_owned(),
            settled,
        }
    }
}

/// A record that has the id and the fingerprint of an earlier record of the batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The index of this record.
    pub record: usize,
    /// The index of the earlier one.
    pub first: usize,
}

/// Reads a batch. A record that can't be read, whose reader panics, or whose order is too old, leaves the others alone.
pub fn read_batch(records: &[SqsMessage], is_too_old: impl Fn(&OrderPlaced) -> bool) -> Batch {
    read_each(records, |n, record| {
        let order = read(n, record)?;
        if is_too_old(&order.placed) {
            let order_id = order.placed.id();
            tracing::error!(%order_id, "the order is older than KEEP_DAYS: its row may have expired, so it isn't stored");
            return Err(Cause::Record);
        }
        Ok(order)
    })
}

/// A message's receive count, this delivery included.
pub fn receives(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// The time of a message's first delivery.
pub fn first_received(record: &SqsMessage) -> Option<SystemTime> {
    let millis = record.attributes.get("ApproximateFirstReceiveTimestamp")?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis.parse().ok()?))
}

fn read_each(
    records: &[SqsMessage],
    read: impl Fn(usize, &SqsMessage) -> Result<Pending, Cause>,
) -> Batch {
    let mut batch = Batch::default();
    let mut seen = HashMap::new();
    for (n, record) in records.iter().enumerate() {
        let read = catch_unwind(AssertUnwindSafe(|| read(n, record))).unwrap_or_else(|_| {
            let message_id = &record.message_id;
            tracing::error!(message_id, "the reader of a record panicked");
            Err(Cause::Record)
        });
        let order = match read {
            Ok(order) => order,
            Err(cause) => {
                batch.unread.push((n, cause));
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
                let first = &mut batch.orders[*entry.get()];
                first.receives = first.receives.max(order.receives);
                batch.duplicates.push(Duplicate {
                    record: n,
                    first: first.record,
                });
            }
        }
    }
    batch.orders.sort_by_key(|order| Reverse(order.receives));
    batch
}

fn read(n: usize, record: &SqsMessage) -> Result<Pending, Cause> {
    let body = record.body.as_deref().unwrap_or_default();
    match OrderPlaced::from_json(body) {
        Ok(placed) => Ok(Pending {
            record: n,
            bytes: body.len() + ROW_OVERHEAD,
            receives: receives(record),
            placed,
        }),
        Err(error) => {
            let message_id = &record.message_id;
            tracing::error!(message_id, %error, "could not read a record as an order");
            // A later version waits for a worker that knows it, for as long as its receives last.
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
