//! The SQS sample in `events/`, read as `process` reads a batch.

use anyhow::Result;
use aws_lambda_events::sqs::SqsEvent;
use process::records::{Batch, read_batch, receives};

#[test]
fn of_a_mixed_batch_the_orders_are_read_and_the_rest_is_left() -> Result<()> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/orders-batch.json");
    let event: SqsEvent = serde_json::from_str(&std::fs::read_to_string(sample)?)?;
    let Batch {
        orders,
        duplicates,
        unread,
    } = read_batch(&event.records, |_| false);
    assert_eq!(
        (
            event.records.len(),
            orders.len(),
            duplicates.len(),
            unread.len()
        ),
        (6, 4, 0, 2)
    );
    assert!(event.records.iter().all(|record| receives(record) >= 1));
    Ok(())
}
