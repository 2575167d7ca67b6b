//! A whole SQS batch, with DynamoDB and SQS faked at HTTP.

mod keeping;
mod publishing;

use super::*;
use crate::faked::{self, Answer, SILENCE, refused};
use function::logs::kit::Log;
use serde_json::Value;
use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};
use tracing::level_filters::LevelFilter;

/// The time of day in all of these tests.
fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_mins(1_000_000)
}

/// A record with the order `n`, which claims enough keys to fill a transaction alone.
fn record(n: u8, receives: u32, waited: Duration) -> SqsMessage {
    let keys: Vec<_> = (0..50).map(|key| n * 50 + key).collect();
    let first = clock() - waited;
    let first = first.duration_since(UNIX_EPOCH).expect("it is later");
    let attribute = |name: &str, value: u128| (name.to_owned(), value.to_string());
    let mut record = SqsMessage::default();
    record.message_id = Some(n.to_string());
    record.receipt_handle = Some(format!("handle-{n}"));
    record.body = Some(faked::pending(n.into(), &keys).placed.to_json());
    record.attributes = [
        attribute("ApproximateReceiveCount", receives.into()),
        attribute("ApproximateFirstReceiveTimestamp", first.as_millis()),
    ]
    .into();
    record
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_row_may_have_expired_is_not_stored_again() -> anyhow::Result<()> {
    // The orders of these tests were placed at 2026-11-22T09:00:00Z.
    let hundred_days_later = || UNIX_EPOCH + Duration::from_hours(498_705 + 100 * 24);
    for (days, expected) in [(30, 0), (100, 0), (101, 1)] {
        let config = faked::aws(|_, _| None);
        let keep = Some(Duration::from_hours(days * 24));
        let processor = Processor {
            table: faked::table(&config).keeping(keep),
            visibility: MessageVisibility::new(
                &aws_sdk_sqs::Client::new(&config),
                "http://sqs/orders".to_owned(),
            ),
            bus: None,
            max_receives: 10,
            retry_base: Duration::from_secs(5),
            visibility_timeout: Duration::from_secs(185),
            effects: Effects {
                clock: hundred_days_later,
                chance: || 1.0,
            },
            metrics: |_| {},
        };
        let mut event = SqsEvent::default();
        event.records = vec![record(1, 10, Duration::ZERO)];
        let response = processor
            .handle(event, Instant::now() + Duration::from_mins(1))
            .await?;
        assert_eq!(1 - response.batch_item_failures.len(), expected, "{days}");
    }
    Ok(())
}

/// The result of a batch.
struct Handled {
    /// The calls, in sequence, except those that change visibility.
    calls: Vec<String>,
    /// The records that stay on the queue, with the seconds of their new visibility timeout, if it was changed.
    failed: Vec<(String, Option<i64>)>,
    /// The outcomes that were sent to the bus: detail type and detail.
    published: Vec<(String, Value)>,
}

/// Processes `records` with a worker that has `time` to write, and ends three seconds later. The table answers its `n`th call
/// by `table`. Every wait is the longest possible.
async fn handle(
    records: Vec<SqsMessage>,
    time: Duration,
    table: impl Fn(usize) -> Option<Answer> + Send + Sync + 'static,
) -> anyhow::Result<Handled> {
    let answer = move |call: &str, n| {
        let is_table = call != "ChangeMessageVisibilityBatch";
        is_table.then(|| table(n)).flatten()
    };
    handle_by(records, time, false, answer).await
}

/// Does the same, with or without a bus. The services reply to the `n`th call with `answer(n)`.
async fn handle_by(
    records: Vec<SqsMessage>,
    time: Duration,
    has_bus: bool,
    answer: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static,
) -> anyhow::Result<Handled> {
    let calls = Arc::<Mutex<Vec<(String, Value)>>>::default();
    let seen = calls.clone();
    let config = faked::aws(move |call, body| {
        // This transaction checks whether a row reads `failed`.
        let is_look = body["TransactItems"][0]["Put"]["Item"]["status"]["S"] == "failed";
        let call = if is_look { "Look" } else { call };
        let mut seen = seen.lock().expect("no panic in here");
        seen.push((call.to_owned(), body.clone()));
        answer(call, seen.len() - 1)
    });
    let sqs = aws_sdk_sqs::Client::new(&config);
    let eventbridge = aws_sdk_eventbridge::Client::new(&config);
    let bus = OutcomeBus::new(&eventbridge, "orders".to_owned(), "shop".to_owned());
    let processor = Processor {
        table: faked::table(&config),
        visibility: MessageVisibility::new(&sqs, "http://sqs/orders".to_owned()),
        max_receives: 10,
        bus: has_bus.then_some(bus),
        retry_base: Duration::from_secs(5),
        visibility_timeout: Duration::from_secs(185),
        effects: Effects {
            clock,
            chance: || 1.0,
        },
        metrics: |_| {},
    };
    let mut event = SqsEvent::default();
    event.records = records;
    let response = processor
        .handle(event, Instant::now() + time + 3 * SECOND)
        .await?;
    let calls = calls.lock().expect("no panic in here");
    let (changes, others): (Vec<_>, Vec<_>) = calls
        .iter()
        .partition(|(call, _)| call == "ChangeMessageVisibilityBatch");
    let published = calls
        .iter()
        .filter(|(call, _)| call == "PutEvents")
        .flat_map(|(_, put)| put["Entries"].as_array().into_iter().flatten())
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            let detail = serde_json::from_str(text("Detail")).expect("a detail is JSON");
            (text("DetailType").to_owned(), detail)
        });
    let entries: Vec<_> = changes
        .iter()
        .flat_map(|(_, change)| change["Entries"].as_array().into_iter().flatten())
        .collect();
    let visible_after = |id: &str| {
        let handle = format!("handle-{id}");
        let entry = entries
            .iter()
            .find(|entry| entry["ReceiptHandle"] == handle)?;
        entry["VisibilityTimeout"].as_i64()
    };
    let failed = response.batch_item_failures.into_iter().map(|failure| {
        let id = failure.item_identifier;
        let visible_after = visible_after(&id);
        (id, visible_after)
    });
    Ok(Handled {
        calls: others.into_iter().map(|(call, _)| call.clone()).collect(),
        failed: failed.collect(),
        published: published.collect(),
    })
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_failed_record_comes_back_when_it_may_succeed() -> anyhow::Result<()> {
    // The table writes the transactions in `taken`, and refuses all others.
    let check = async |waited: u32, taken: Range<_>, (status, code), expected: &[_]| {
        let records = [0, 1].map(|n| record(n, 3, waited * SECOND));
        let table = move |n| (!taken.contains(&n)).then(|| refused(status, code));
        let failed = handle(records.into(), 10 * SECOND, table).await?.failed;
        let failed: Vec<_> = failed.into_iter().map(|(_, seconds)| seconds).collect();
        assert_eq!(failed, expected, "{waited} {code}");
        anyhow::Ok(())
    };
    let (throttled, down) = ((400, "ThrottlingException"), (500, "InternalServerError"));
    // One was written, and ten seconds were left for the other.
    check(60, 0..1, throttled, &[Some(10)]).await?;
    check(2, 0..1, throttled, &[Some(4)]).await?;
    // The table wrote the first one only after 5.6 s: the other waits no longer than the 4.4 s that were left.
    check(60, 10..11, throttled, &[Some(5)]).await?;
    // The table wrote nothing, or is down: the queue's visibility timeout stays.
    check(60, 0..0, throttled, &[None, None]).await?;
    check(60, 0..0, down, &[None, None]).await?;
    check(60, 0..1, down, &[None]).await?;
    // The records are at fault: 5 s, doubled with each receive.
    let malformed = (400, "ValidationException");
    check(60, 0..0, malformed, &[Some(20), Some(20)]).await
}

#[tokio::test(start_paused = true)]
async fn an_order_on_its_last_receive_is_first_written_as_failed() -> anyhow::Result<()> {
    let check = async |receives, expected: &[&str]| {
        let records = vec![record(0, receives, SECOND)];
        assert_eq!(handle(records, SECOND, |_| None).await?.calls, expected);
        anyhow::Ok(())
    };
    check(9, &["TransactWriteItems"]).await?;
    check(10, &["PutItem", "TransactWriteItems"]).await?;
    check(11, &["PutItem", "TransactWriteItems"]).await
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_time_stays_on_the_queue_and_nothing_is_sent() -> anyhow::Result<()> {
    let records = [0, 1].map(|n| record(n, 1, SECOND));
    let handled = handle(records.into(), Duration::ZERO, |_| None).await?;
    assert!(handled.calls.is_empty(), "{:?}", handled.calls);
    let expected = [("0".to_owned(), None), ("1".to_owned(), None)];
    assert_eq!(handled.failed, expected);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_invocation_ends_in_time_whatever_is_silent() -> anyhow::Result<()> {
    let check = async |receives, silent: &'static str, expected: &[&str]| {
        let start = Instant::now();
        let malformed = || refused(400, "ValidationException");
        let answer = move |call: &str, _| match call {
            call if call == silent => Some(SILENCE),
            "TransactWriteItems" if silent != "PutItem" => Some(malformed()),
            _ => None,
        };
        let handled = handle_by(
            vec![record(0, receives, SECOND)],
            10 * SECOND,
            false,
            answer,
        )
        .await?;
        assert_eq!(handled.calls, expected, "{silent}");
        assert!(start.elapsed() < 13 * SECOND, "{silent}");
        anyhow::Ok(start.elapsed())
    };
    // The answer has a second to spare, although the visibility could not be changed.
    let taken = check(1, "ChangeMessageVisibilityBatch", &["TransactWriteItems"]).await?;
    assert!(taken >= 10 * SECOND, "{taken:?}");
    check(1, "TransactWriteItems", &["TransactWriteItems"]).await?;
    // The `failed` row gets half of the time, and the transaction the other half.
    let taken = check(10, "PutItem", &["PutItem", "TransactWriteItems"]).await?;
    assert_eq!(taken.as_secs(), 5);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn two_orders_of_one_batch_under_one_key_are_named_in_the_log() -> anyhow::Result<()> {
    let log = Log::default();
    let _guard = log.listen(LevelFilter::WARN);
    let record = |message_id: &str, quantity| {
        let order = faked::order(7, &[("cup", quantity)]).placed;
        let mut record = SqsMessage::default();
        (record.message_id, record.body) = (Some(message_id.to_owned()), Some(order.to_json()));
        record
    };
    let records = vec![record("1", 1), record("2", 2), record("3", 1)];
    let handled = handle(records, SECOND, |_| None).await?;
    assert!(handled.failed.is_empty(), "{:?}", handled.failed);
    let line: Value = serde_json::from_str(log.take().trim())?;
    let order = faked::order(7, &[("cup", 1)]).placed;
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["order_id"], order.id().to_string());
    assert_eq!(line["client"], order.client().message_group());
    assert_eq!(line["message_id"], "2");
    Ok(())
}
