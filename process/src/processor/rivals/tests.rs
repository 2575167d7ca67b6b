//! Different orders under one idempotency key, against a faked table that keeps rows, in virtual time.

use super::*;
use crate::{
    effects::Effects,
    faked::{
        self,
        rows::{Fault, Rows},
    },
    visibility::MessageVisibility,
};
use aws_lambda_events::sqs::SqsMessage;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

const CLOCK: Effects = Effects {
    clock: || UNIX_EPOCH + Duration::from_mins(1_000_000),
    chance: || 1.0,
};

/// The `variant`th order under a key, each with a key of its own.
fn order(key: usize, variant: u8) -> Pending {
    faked::order(key, &[(&format!("a{variant}"), 1)])
}

/// The row of that order, from an earlier delivery.
fn row(key: usize, variant: u8, status: &str) -> (String, Value) {
    let placed = order(key, variant).placed;
    let (id, time) = (
        placed.id().to_string(),
        json!({"S": "2026-11-22T09:00:00.000Z"}),
    );
    let row = json!({
        "id": {"S": id}, "fingerprint": {"S": placed.fingerprint().as_str()},
        "status": {"S": status}, "placed_at": time, "processed_at": time,
    });
    (id, row)
}

/// Processes a batch of orders, each with its key, its variant and its receive count.
async fn settle(batch: &[(usize, u8, u32)], table: Rows) -> (Vec<Disposition>, Rows) {
    let table = Arc::new(Mutex::new(table));
    let shared = table.clone();
    let config = faked::aws(move |call, body| {
        let mut table = shared.lock().expect("no panic in here");
        table.answer(call, body)
    });
    let processor = Processor {
        table: faked::table(&config),
        visibility: MessageVisibility::new(
            &aws_sdk_sqs::Client::new(&config),
            "http://sqs/orders".to_owned(),
        ),
        bus: None,
        max_receives: 10,
        retry_base: Duration::from_secs(5),
        visibility_timeout: Duration::from_secs(185),
        effects: CLOCK,
        metrics: |_| {},
    };
    let records = batch.iter().map(|(key, variant, receives)| {
        let mut record = SqsMessage::default();
        record.body = Some(order(*key, *variant).placed.to_json());
        let name = "ApproximateReceiveCount".to_owned();
        record.attributes.insert(name, receives.to_string());
        record
    });
    let deadline = Instant::now() + Duration::from_mins(2);
    let records: Vec<_> = records.collect();
    let (settlements, _) = processor.settle(&records, deadline).await;
    drop((processor, config));
    let table = std::mem::take(&mut *table.lock().expect("no panic in here"));
    let dispositions = settlements.into_iter().map(|it| it.disposition);
    (dispositions.collect(), table)
}

/// Counts the orders stored now, those stored before, key mismatches, and those that stay on the queue.
fn count(dispositions: &[Disposition]) -> [usize; 4] {
    let mut counts = [0; 4];
    for disposition in dispositions {
        counts[match disposition {
            Disposition::Stored(_) => 0,
            Disposition::StoredBefore(_) | Disposition::UnknownOutcome => 1,
            Disposition::KeyMismatch(_) => 2,
            Disposition::Retry(_) => 3,
        }] += 1;
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn fifty_orders_under_one_key_are_settled_by_one_row_at_once() {
    let check = async |receives, row: Option<(String, Value)>, transactions, expected| {
        let batch: Vec<_> = (0..50).map(|variant| (7, variant, receives)).collect();
        let table = Rows {
            by_id: row.into_iter().collect(),
            ..Rows::default()
        };
        let (dispositions, table) = settle(&batch, table).await;
        assert_eq!(count(&dispositions), expected, "{receives}");
        assert_eq!(table.transactions, transactions, "{receives}");
        assert_eq!(table.by_id.len(), 1);
    };
    for receives in [1, 10] {
        check(receives, None, 1, [1, 0, 49, 0]).await;
        check(receives, Some(row(7, 99, "confirmed")), 1, [0, 0, 50, 0]).await;
        check(receives, Some(row(7, 99, "failed")), 1, [0, 0, 50, 0]).await;
        check(receives, Some(row(7, 31, "confirmed")), 1, [0, 1, 49, 0]).await;
        // An order replaces its own row.
        check(receives, Some(row(7, 31, "failed")), 2, [1, 0, 49, 0]).await;
        // An outcome of a later version is read again, in a transaction of only its own order.
        check(receives, Some(row(7, 31, "on its way")), 2, [0, 1, 49, 0]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_written_leaves_its_key_to_the_others() {
    let broken = Rows {
        broken: Some("a0"),
        ..Rows::default()
    };
    let (dispositions, _) = settle(&[(7, 0, 1), (7, 1, 1), (7, 2, 1), (7, 0, 1)], broken).await;
    assert_eq!(count(&dispositions), [1, 0, 1, 2], "{dispositions:?}");
}

#[tokio::test(start_paused = true)]
async fn while_the_table_is_down_no_order_of_a_key_is_given_up_on_its_own() {
    let batch: Vec<_> = (0..50).map(|variant| (7, variant, 1)).collect();
    let down = Rows {
        faults: vec![Fault::Throttled; 10_000],
        ..Rows::default()
    };
    let (dispositions, table) = settle(&batch, down).await;
    assert_eq!(dispositions, vec![Disposition::Retry(Cause::Busy); 50]);
    assert!(table.by_id.is_empty());
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![Just(Fault::None), Just(Fault::Throttled), Just(Fault::Lost)]
}

/// Perhaps an earlier row of a key, whose order may or may not be in the batch.
fn earlier() -> impl Strategy<Value = Option<(u8, bool)>> {
    prop::option::of((0..6_u8, any::<bool>()))
}

proptest! {
    #[test]
    fn each_order_of_a_key_is_settled_in_one_delivery_by_the_row_of_one_of_them(
        batch in prop::collection::vec((0..3_usize, 0..4_u8, 1..12_u32), 1..30),
        earlier in prop::array::uniform3(earlier()),
        faults in prop::collection::vec(fault(), 0..20),
    ) {
        let status = |is_failed| if is_failed { "failed" } else { "confirmed" };
        let rows = earlier.iter().enumerate().filter_map(|(key, earlier)| {
            earlier.map(|(variant, is_failed)| row(key, variant, status(is_failed)))
        });
        let before: BTreeMap<_, _> = rows.collect();
        let table = Rows { by_id: before.clone(), faults, ..Rows::default() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let (dispositions, table) = runtime.block_on(settle(&batch, table));
        for ((key, variant, _), disposition) in batch.iter().zip(&dispositions) {
            let placed = order(*key, *variant).placed;
            let row = &table.by_id[&placed.id().to_string()];
            let is_own = row["fingerprint"]["S"] == placed.fingerprint().as_str();
            // Another order's row stays as it was, `failed` or not.
            let is_settled = row["status"]["S"] != "failed";
            let is_right = match disposition {
                Disposition::Stored(_) | Disposition::StoredBefore(_) => is_own && is_settled,
                Disposition::KeyMismatch(_) => !is_own,
                Disposition::UnknownOutcome | Disposition::Retry(_) => false,
            };
            prop_assert!(is_right, "{key} {variant} {disposition:?} {row}");
        }
        for (id, row) in before {
            let after = &table.by_id[&id];
            prop_assert_eq!(&after["fingerprint"], &row["fingerprint"]);
            prop_assert!(row["status"]["S"] == "failed" || *after == row);
        }
    }
}
