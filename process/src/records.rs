//! The records of a batch, read one by one; the same order in several records is one order.

use crate::group::Pending;
use aws_lambda_events::sqs::SqsMessage;
use events::OrderPlaced;
use std::{
    collections::{HashMap, hash_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// More bytes than a row has beyond its message: its status, reason, time and total.
const ROW_OVERHEAD: usize = 256;

/// The orders of a batch, each once.
#[derive(Debug, Default)]
pub struct Distinct {
    /// The first record of each order, in the order of arrival.
    pub first: Vec<Pending>,
    /// The others.
    pub copies: Vec<Copy>,
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

/// Reads a batch; what isn't an order that this version can read is logged and left out.
pub fn read_batch(records: &[SqsMessage]) -> Distinct {
    distinct(read_each(records, read))
}

/// How often SQS has handed a message out, this time included.
pub fn receives(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// Reads each record by itself: what is wrong with one, even a panic, is that one's affair.
fn read_each(
    records: &[SqsMessage],
    read: impl Fn(usize, &SqsMessage) -> Option<Pending>,
) -> Vec<Pending> {
    let read = |(n, record): (usize, &SqsMessage)| {
        catch_unwind(AssertUnwindSafe(|| read(n, record))).unwrap_or_else(|_| {
            tracing::error!(message_id = record.message_id, "panicked");
            None
        })
    };
    records.iter().enumerate().filter_map(read).collect()
}

fn read(n: usize, record: &SqsMessage) -> Option<Pending> {
    let body = record.body.as_deref().unwrap_or_default();
    match OrderPlaced::from_json(body) {
        Ok(placed) => Some(Pending {
            record: n,
            bytes: body.len() + ROW_OVERHEAD,
            placed,
        }),
        Err(error) => {
            tracing::error!(message_id = record.message_id, %error, "not an order");
            None
        }
    }
}

fn distinct(orders: Vec<Pending>) -> Distinct {
    let mut distinct = Distinct::default();
    let mut seen = HashMap::new();
    for order in orders {
        match seen.entry(order.placed.id) {
            Entry::Vacant(entry) => {
                entry.insert((order.record, order.placed.fingerprint.clone()));
                distinct.first.push(order);
            }
            Entry::Occupied(entry) => {
                let (first, fingerprint) = entry.get();
                let same = *fingerprint == order.placed.fingerprint;
                distinct.copies.push(Copy {
                    record: order.record,
                    first: *first,
                    same,
                });
            }
        }
    }
    distinct
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
        let read: Vec<_> = read_each(&records, read)
            .iter()
            .map(|order| order.record)
            .collect();
        assert_eq!(read, [0, 2]);
        Ok(())
    }

    #[test]
    fn a_panic_stays_inside_its_record() -> anyhow::Result<()> {
        let records = [message(1, 1)?, message(2, 1)?, message(3, 1)?];
        let read = read_each(&records, |n, record| {
            assert_ne!(n, 1, "this record panics");
            read(n, record)
        });
        assert_eq!(
            read.iter().map(|order| order.record).collect::<Vec<_>>(),
            [0, 2]
        );
        Ok(())
    }

    #[test]
    fn copies_share_the_fate_of_the_first() -> anyhow::Result<()> {
        let records = [
            message(1, 1)?,
            message(2, 1)?,
            message(1, 1)?,
            message(1, 9)?,
        ];
        let Distinct { first, copies } = distinct(read_each(&records, read));
        assert_eq!(
            first.iter().map(|order| order.record).collect::<Vec<_>>(),
            [0, 1]
        );
        let copy = |record, same| Copy {
            record,
            first: 0,
            same,
        };
        assert_eq!(copies, [copy(2, true), copy(3, false)]);
        Ok(())
    }
}
