//! Rows that expire, in virtual time: an order takes effect once while its key is promised to hold.

use super::*;
use crate::{disposition::Disposition, faked::rows::Rows};
use events::OrderPlaced;
use std::cell::Cell;

thread_local! {
    /// The worker's clock, in hours after the first order was placed.
    static NOW: Cell<i64> = const { Cell::new(0) };
}

const DAY: i64 = 24;
/// `KeepDays`
const KEEP: i64 = 30;

fn hours(hours: i64) -> SystemTime {
    // 2026-11-22T09:00:00Z
    UNIX_EPOCH + Duration::from_hours(u64::try_from(498_705 + hours).expect("after 1970"))
}

/// Returns a message for the order of one idempotency key, accepted `accepted` hours after the first time.
fn message(accepted: i64, receives: u32) -> SqsMessage {
    let first = faked::pending(7, &[1]).placed;
    let again = OrderPlaced::new(
        first.id(),
        first.client().clone(),
        hours(accepted).into(),
        first.order().clone(),
    );
    let mut message = SqsMessage::default();
    message.body = Some(again.to_json());
    let name = "ApproximateReceiveCount".to_owned();
    message.attributes.insert(name, receives.to_string());
    message
}

/// One table, and the workers that write to it.
#[derive(Default)]
struct Shop {
    table: Arc<Mutex<Rows>>,
    /// DynamoDB deletes a row in the second in which it expires; otherwise never.
    sweeps: bool,
}

impl Shop {
    /// Processes messages at a time, with a worker whose clock is off by `wrong`, all in hours.
    async fn process(&self, messages: Vec<SqsMessage>, at: i64, wrong: i64) -> Vec<Disposition> {
        let now = hours(at).duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.sweeps {
            let mut table = self.table.lock().expect("no panic in here");
            table.by_id.retain(|_, row| {
                let at = row["expires_at"]["N"]
                    .as_str()
                    .and_then(|at| at.parse().ok());
                at.is_none_or(|at: u64| at >= now.as_secs())
            });
        }
        NOW.set(at + wrong);
        let table = self.table.clone();
        let config = faked::aws(move |call, body| {
            let mut table = table.lock().expect("no panic in here");
            table.answer(call, body)
        });
        let keep = Duration::from_hours(u64::try_from(KEEP * DAY).expect("days"));
        let processor = Processor {
            table: faked::table(&config).keeping(Some(keep)),
            visibility: MessageVisibility::new(
                &aws_sdk_sqs::Client::new(&config),
                "http://sqs/orders".to_owned(),
            ),
            bus: None,
            max_receives: 10,
            retry_base: SECOND,
            visibility_timeout: SECOND,
            effects: Effects {
                clock: || hours(NOW.get()),
                chance: || 1.0,
            },
            metrics: |_| {},
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        let (settlements, _) = processor.settle(&messages, deadline).await;
        settlements.into_iter().map(|it| it.disposition).collect()
    }
}

fn is_stored(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Stored(_))
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_accepted_in_time_finds_the_row_however_late_it_is_processed() {
    for sweeps in [true, false] {
        // Both workers' clocks are off by up to half a day.
        for (first, second) in [(0, 0), (-12, 0), (-12, -12), (12, -12), (0, 11)] {
            for receives in [1, 10] {
                let check = async |accepted, waited| {
                    let shop = Shop {
                        sweeps,
                        ..Shop::default()
                    };
                    let stored = shop.process(vec![message(0, 1)], 0, first).await;
                    assert!(is_stored(&stored[0]), "{stored:?}");
                    let late = vec![message(accepted, receives)];
                    let at = accepted + waited;
                    let again = shop.process(late, at, second).await;
                    let text = format!("{sweeps} {first} {second} {accepted} {waited} {again:?}");
                    assert!(!is_stored(&again[0]), "{text}");
                };
                // A retry on the last day, which then waits for all of SQS's 14 days.
                check(KEEP * DAY - 1, 14 * DAY).await;
                check(DAY, 14 * DAY).await;
                // The message itself is redelivered: either it is too old, or its row is still there.
                check(0, KEEP * DAY - 1).await;
                check(0, KEEP * DAY + 1).await;
                check(0, 100 * DAY).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_weeks_behind_makes_no_row_expire_early() {
    let shop = Shop {
        sweeps: true,
        ..Shop::default()
    };
    let stored = shop.process(vec![message(0, 1)], 0, -400 * DAY).await;
    assert!(is_stored(&stored[0]), "{stored:?}");
    let again = shop.process(vec![message(0, 1)], KEEP * DAY - 1, 0).await;
    assert_eq!(count_before(&again), 1, "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn once_its_row_has_expired_a_key_is_a_new_order_whether_the_row_is_deleted_or_not() {
    for sweeps in [true, false] {
        for receives in [1, 10] {
            let shop = Shop {
                sweeps,
                ..Shop::default()
            };
            shop.process(vec![message(0, 1)], 0, 0).await;
            let end = (KEEP + 15) * DAY;
            // Until the row is deleted, it still decides, although that isn't promised.
            let before = shop
                .process(vec![message(end - 1, receives)], end - 1, 0)
                .await;
            assert_eq!(count_before(&before), 1, "{sweeps} {before:?}");
            let after = shop
                .process(vec![message(end + 1, receives)], end + 1, 0)
                .await;
            assert!(is_stored(&after[0]), "{sweeps} {after:?}");
            // That order is kept for the same time.
            let again = shop
                .process(vec![message(end + 2, receives)], end + KEEP * DAY, 0)
                .await;
            assert_eq!(count_before(&again), 1, "{sweeps} {again:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_old_does_not_keep_a_retry_in_its_batch_from_being_settled() {
    let shop = Shop::default();
    shop.process(vec![message(0, 1)], 0, 0).await;
    let messages = vec![message(0, 9), message(KEEP * DAY - 1, 1)];
    let settled = shop.process(messages, KEEP * DAY + 1, 0).await;
    assert_eq!(settled[0], Disposition::Retry(Cause::Record));
    assert_eq!(count_before(&settled), 1, "{settled:?}");
}

fn count_before(dispositions: &[Disposition]) -> usize {
    let is_before =
        |disposition: &&Disposition| matches!(disposition, Disposition::StoredBefore(_));
    dispositions.iter().filter(is_before).count()
}
