//! Records, duplicates and poison of a batch.

use super::*;
use crate::faked;
use aws_lambda_events::sqs::SqsEvent;

/// A message with the order of this id, with a claim of this amount of one key.
fn message(id: usize, quantity: u64) -> SqsMessage {
    message_of(&faked::order(id, &[("a", quantity)]).placed.to_json())
}

fn message_of(body: &str) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.body = Some(body.to_owned());
    message
}

fn received(mut message: SqsMessage, receives: &str) -> SqsMessage {
    let name = "ApproximateReceiveCount".to_owned();
    message.attributes.insert(name, receives.to_owned());
    message
}

/// Returns the orders' records, in the sequence in which they are served.
fn served(batch: &Batch) -> Vec<usize> {
    batch.orders.iter().map(|order| order.record.0).collect()
}

#[test]
fn a_record_that_cannot_be_read_leaves_the_others_alone() {
    let later = faked::order(4, &[("a", 1)]).placed.to_json();
    let later = later.replace("\"version\":1", "\"version\":2");
    let batch = read_batch(
        &[
            message(1, 1),
            message_of("poison"),
            message(2, 1),
            message_of(&later),
            SqsMessage::default(),
        ],
        |_| false,
    );
    assert_eq!(served(&batch), [0, 2]);
    let expected = [(1, Cause::Record), (3, Cause::Worker), (4, Cause::Record)]
        .map(|(n, cause)| (Record(n), cause));
    assert_eq!(batch.unread, expected);
}

#[test]
fn a_panic_stays_inside_its_record() {
    let records = [1, 2, 3].map(|id| message(id, 1));
    let batch = read_each(&records, |n, record| {
        assert_ne!(n, Record(1), "this record panics");
        read(n, record)
    });
    assert_eq!(served(&batch), [0, 2]);
    assert_eq!(batch.unread, [(Record(1), Cause::Record)]);
}

#[test]
fn an_order_is_as_large_as_its_message_and_was_received_as_often_as_its_duplicates() {
    // The third is another order with the same id.
    let records = [(1, "2"), (1, "7"), (9, "10")];
    let records = records.map(|(quantity, receives)| received(message(1, quantity), receives));
    let batch = read_batch(&records, |_| false);
    let receives = batch.orders.iter().map(|order| order.receives);
    assert_eq!(receives.collect::<Vec<_>>(), [10, 7]);
    let body = records[0].body.as_deref().unwrap_or_default();
    let more = batch.orders[1].bytes - body.len();
    assert!((1..1000).contains(&more), "{more} bytes more");
}

#[test]
fn the_orders_that_were_received_most_come_first() {
    let records = ["1", "3", "no number", "9", "3"].into_iter().enumerate();
    let records: Vec<_> = records
        .map(|(id, receives)| received(message(id, 1), receives))
        .collect();
    assert_eq!(served(&read_batch(&records, |_| false)), [3, 1, 4, 0, 2]);
}

#[test]
fn a_record_with_the_order_of_an_earlier_one_is_a_duplicate_and_another_order_of_its_id_is_not() {
    let records =
        [(1, 1), (2, 1), (1, 1), (1, 9), (1, 9)].map(|(id, quantity)| message(id, quantity));
    let batch = read_batch(&records, |_| false);
    assert_eq!(served(&batch), [0, 1, 3]);
    let duplicate = |record, of| Duplicate {
        record: Record(record),
        of: Record(of),
    };
    assert_eq!(batch.duplicates, [duplicate(2, 0), duplicate(4, 3)]);
}

#[test]
fn of_the_mixed_sample_the_orders_are_read_and_the_rest_is_left() -> anyhow::Result<()> {
    let sample = include_str!("../../../events/orders-batch.json");
    let event: SqsEvent = serde_json::from_str(sample)?;
    let batch = read_batch(&event.records, |_| false);
    assert_eq!(event.records.len(), 6);
    assert_eq!(served(&batch).len(), 4);
    assert_eq!((batch.duplicates.len(), batch.unread.len()), (0, 2));
    assert!(event.records.iter().all(|record| receives(record) >= 1));
    Ok(())
}
