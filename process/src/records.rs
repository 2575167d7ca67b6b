//! The records of a batch, read one by one; the same order in several records is one order.

use crate::{commit::Fault, group::Pending};
use aws_lambda_events::sqs::SqsMessage;
use events::{OrderPlaced, placed::NotAnOrderPlaced};
use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// More bytes than a row has beyond its message: its status, reason, time and total.
const ROW_OVERHEAD: usize = 256;

/// A batch, read.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first record of each order's id: those that were received most come first, because there may not be time
    /// for all, and equals in the order of arrival.
    pub first: Vec<Pending>,
    /// The others.
    pub copies: Vec<Copy>,
    /// Records that aren't orders this version can read.
    pub unread: Vec<(usize, Fault)>,
}

/// A record with the id of an earlier one, whose fate it shares.
#[derive(Debug, PartialEq, Eq)]
pub struct Copy {
    /// This record.
    pub record: usize,
    /// The earlier one.
    pub first: usize,
    /// Whether it is the same order, too.
    pub same: bool,
}

/// Reads a batch, each record by itself: what is wrong with one, even a panic, is that one's affair.
pub fn read_batch(records: &[SqsMessage]) -> Batch {
    read_each(records, read)
}

/// How often SQS has handed a message out, this time included.
pub fn receives(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// When SQS has handed a message out first.
pub fn first_received(record: &SqsMessage) -> Option<SystemTime> {
    let millis = record.attributes.get("ApproximateFirstReceiveTimestamp")?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis.parse().ok()?))
}

fn read_each(
    records: &[SqsMessage],
    read: impl Fn(usize, &SqsMessage) -> Result<Pending, Fault>,
) -> Batch {
    let mut batch = Batch::default();
    let mut seen = HashMap::new();
    for (n, record) in records.iter().enumerate() {
        let read = catch_unwind(AssertUnwindSafe(|| read(n, record))).unwrap_or_else(|_| {
            tracing::error!(message_id = record.message_id, "panicked");
            Err(Fault::Record)
        });
        let order = match read {
            Ok(order) => order,
            Err(fault) => {
                batch.unread.push((n, fault));
                continue;
            }
        };
        match seen.entry(order.placed.id) {
            Entry::Vacant(entry) => {
                entry.insert(batch.first.len());
                batch.first.push(order);
            }
            Entry::Occupied(entry) => {
                let first = &mut batch.first[*entry.get()];
                let same = first.placed.fingerprint == order.placed.fingerprint;
                if same {
                    first.receives = first.receives.max(order.receives);
                }
                batch.copies.push(Copy {
                    record: n,
                    first: first.record,
                    same,
                });
            }
        }
    }
    batch.first.sort_by_key(|order| Reverse(order.receives));
    batch
}

fn read(n: usize, record: &SqsMessage) -> Result<Pending, Fault> {
    let body = record.body.as_deref().unwrap_or_default();
    match OrderPlaced::from_json(body) {
        Ok(placed) => Ok(Pending {
            record: n,
            bytes: body.len() + ROW_OVERHEAD,
            receives: receives(record),
            placed,
        }),
        Err(error) => {
            tracing::error!(message_id = record.message_id, %error, "not an order");
            // A version from the future has time: it waits for a reader, for as long as the receives last.
            let later = matches!(error, NotAnOrderPlaced::Version(_));
            Err(if later { Fault::Table } else { Fault::Record })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Client, Fingerprint, Order, OrderIds, Secret};

    fn message(random: u8, quantity: u64) -> anyhow::Result<SqsMessage> {
        let body = format!(
            r#"{{"lines":[{{"sku":"a","quantity":{quantity},"unit_price":1}}],"currency":"EUR"}}"#
        );
        let order = Order::parse(body.as_bytes())?;
        let client = Client::anonymous();
        let id = OrderIds::new(Secret::new("s".repeat(32))?, vec![]).fresh(&client, [random; 12]);
        let placed_at = "2026-11-22T09:00:00Z".parse()?;
        let placed = OrderPlaced {
            id,
            client,
            placed_at,
            fingerprint: Fingerprint::of(&order),
            order,
        };
        let mut message = SqsMessage::default();
        message.body = Some(placed.to_json());
        Ok(message)
    }

    fn message_of(body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.body = Some(body.to_owned());
        message
    }

    #[test]
    fn what_is_wrong_with_one_record_spares_the_others() -> anyhow::Result<()> {
        let later = message(4, 1)?
            .body
            .unwrap_or_default()
            .replace("\"version\":1", "\"version\":2");
        let records = [
            message(1, 1)?,
            message_of("poison"),
            message(2, 1)?,
            message_of(&later),
            SqsMessage::default(),
        ];
        let batch = read_batch(&records);
        assert_eq!(
            batch
                .first
                .iter()
                .map(|order| order.record)
                .collect::<Vec<_>>(),
            [0, 2]
        );
        assert_eq!(
            batch.unread,
            [(1, Fault::Record), (3, Fault::Table), (4, Fault::Record)]
        );
        Ok(())
    }

    #[test]
    fn a_panic_stays_inside_its_record() -> anyhow::Result<()> {
        let records = [message(1, 1)?, message(2, 1)?, message(3, 1)?];
        let batch = read_each(&records, |n, record| {
            assert_ne!(n, 1, "this record panics");
            read(n, record)
        });
        assert_eq!(
            batch
                .first
                .iter()
                .map(|order| order.record)
                .collect::<Vec<_>>(),
            [0, 2]
        );
        assert_eq!(batch.unread, [(1, Fault::Record)]);
        Ok(())
    }

    #[test]
    fn an_order_is_as_large_as_its_message_and_was_received_as_often_as_its_copies()
    -> anyhow::Result<()> {
        let received = |quantity, receives: &str| {
            let mut message = message(1, quantity)?;
            let name = "ApproximateReceiveCount".to_owned();
            message.attributes.insert(name, receives.to_owned());
            anyhow::Ok(message)
        };
        // The third is another order with the same id.
        let records = [received(1, "2")?, received(1, "7")?, received(9, "10")?];
        let batch = read_batch(&records);
        assert_eq!(batch.first.len(), 1);
        assert_eq!(batch.first[0].receives, 7);
        let body = records[0].body.as_deref().unwrap_or_default();
        assert!(batch.first[0].bytes > body.len());
        Ok(())
    }

    #[test]
    fn the_orders_that_were_received_most_come_first() -> anyhow::Result<()> {
        let mut records = Vec::new();
        for (n, receives) in [1, 3, 1, 9, 3].into_iter().enumerate() {
            let mut message = message(u8::try_from(n)?, 1)?;
            let name = "ApproximateReceiveCount".to_owned();
            message.attributes.insert(name, receives.to_string());
            records.push(message);
        }
        let first = read_batch(&records).first;
        let order: Vec<_> = first.iter().map(|order| order.record).collect();
        assert_eq!(order, [3, 1, 4, 0, 2]);
        Ok(())
    }

    #[test]
    fn copies_are_told_from_orders() -> anyhow::Result<()> {
        let records = [
            message(1, 1)?,
            message(2, 1)?,
            message(1, 1)?,
            message(1, 9)?,
        ];
        let batch = read_batch(&records);
        assert_eq!(
            batch
                .first
                .iter()
                .map(|order| order.record)
                .collect::<Vec<_>>(),
            [0, 1]
        );
        let copy = |record, same| Copy {
            record,
            first: 0,
            same,
        };
        assert_eq!(batch.copies, [copy(2, true), copy(3, false)]);
        Ok(())
    }
}
