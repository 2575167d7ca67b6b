//! The loop of a batch, against a faked table, in virtual time.

use super::*;
use crate::{
    disposition::Settled,
    faked::{self, Answer, SILENCE, pending, refused},
};
use events::{Outcome, order::kit};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

/// The disposition of an order that was stored with this outcome, by the clock of [`LONGEST`].
fn stored(outcome: Outcome) -> Disposition {
    Disposition::Stored(Settled {
        outcome,
        placed_at: pending(0, &[]).placed.placed_at(),
        processed_at: UNIX_EPOCH.into(),
    })
}
const MINUTE: Duration = Duration::from_mins(1);

/// When a table was called, in milliseconds after the test's start.
type Calls = Arc<Mutex<Vec<u128>>>;

/// A table that answers by `answer`, from the request and the number of earlier requests.
fn table(
    answer: impl Fn(&Value, usize) -> Option<Answer> + Send + Sync + 'static,
) -> (OrderTable, Calls) {
    let (calls, start) = (Calls::default(), Instant::now());
    let seen = calls.clone();
    let config = faked::aws(move |_, request| {
        let before = {
            let mut seen = seen.lock().expect("no panic in here");
            seen.push(start.elapsed().as_millis());
            seen.len() - 1
        };
        answer(request, before)
    });
    (faked::table(&config), calls)
}

/// A cancelled transaction. `code` returns what is wrong with each action, if anything.
fn cancelled(request: &Value, code: impl Fn(&Value) -> Option<&'static str>) -> Answer {
    let actions = request["TransactItems"].as_array().expect("actions");
    let reasons: Vec<_> = actions
        .iter()
        .map(|action| json!({"Code": code(action).unwrap_or("None")}))
        .collect();
    (
        400,
        json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons}),
    )
}

fn claims(action: &Value, key: &str) -> bool {
    kit::key_of(&action["Update"]["Key"]) == Some(key)
}

fn sorted(mut dispositions: Vec<(Record, Disposition)>) -> Vec<Disposition> {
    dispositions.sort_by_key(|(record, _)| *record);
    dispositions
        .into_iter()
        .map(|(_, disposition)| disposition)
        .collect()
}

/// Commits one group of 40 orders, of which the nth claims the key `an`.
async fn only_the_31st_of_40_fails(table: &OrderTable) {
    let orders: Vec<_> = (0..40_u8).map(|n| pending(n.into(), &[n])).collect();
    let chains = vec![vec![orders.iter().collect()]];
    let committed = commit(table, chains, Instant::now() + MINUTE, LONGEST).await;
    for (n, disposition) in sorted(committed.dispositions).into_iter().enumerate() {
        let failed = Disposition::Retry(Cause::Record);
        assert_eq!(
            disposition,
            if n == 31 {
                failed
            } else {
                stored(Outcome::Confirmed)
            },
            "{n}"
        );
    }
}

/// Every wait is the longest possible.
const LONGEST: Effects = Effects {
    clock: || UNIX_EPOCH,
    chance: || 1.0,
};

#[tokio::test(start_paused = true)]
async fn one_transaction_is_on_its_way_at_a_time() {
    let (table, calls) = table(|_, _| None);
    let orders: Vec<_> = (0..20).map(|n| pending(n, &[1])).collect();
    let chains = orders.iter().map(|order| vec![vec![order]]).collect();
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(sorted(dispositions), vec![stored(Outcome::Confirmed); 20]);
    assert_eq!(calls.lock().expect("no panic in here").len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_throttles_is_asked_again_after_a_wait_that_doubles_up_to_a_second() {
    let (table, calls) = table(|_, n| (n < 9).then(|| refused(400, "ThrottlingException")));
    let order = pending(0, &[1]);
    let chains = vec![vec![vec![&order]]];
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(dispositions, [(Record(0), stored(Outcome::Confirmed))]);
    let calls = calls.lock().expect("no panic in here");
    let waits = calls.windows(2).map(|calls| calls[1] - calls[0]);
    let waits: Vec<_> = waits.collect();
    assert_eq!(waits, [25, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_success_makes_the_waits_short_again() {
    let (table, calls) =
        table(|_, n| (n != 5 && n < 7).then(|| refused(400, "ThrottlingException")));
    let orders = [pending(0, &[1]), pending(1, &[2])];
    let chains = orders.iter().map(|order| vec![vec![order]]).collect();
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(sorted(dispositions), vec![stored(Outcome::Confirmed); 2]);
    let calls = calls.lock().expect("no panic in here");
    assert_eq!(calls[7] - calls[6], 25);
}

#[tokio::test(start_paused = true)]
async fn no_wait_outlasts_the_deadline_and_none_is_remembered() {
    let (table, calls) = table(|_, n| (n < 100).then(|| refused(400, "ThrottlingException")));
    let order = pending(0, &[1]);
    for seconds in [1, 5, 7] {
        let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
        let chains = vec![vec![vec![&order]]];
        let before = calls.lock().expect("no panic in here").len();
        let dispositions = commit(&table, chains, start + limit, LONGEST)
            .await
            .dispositions;
        assert_eq!(dispositions, [(Record(0), Disposition::Retry(Cause::Busy))]);
        // Timers are exact to a millisecond.
        assert!(start.elapsed() <= limit + Duration::from_millis(1));
        // The first wait of each is the shortest.
        let calls = calls.lock().expect("no panic in here");
        assert_eq!(calls[before + 1] - calls[before], 25);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_once_the_deadline_is_over() {
    let (table, calls) = table(|_, _| None);
    let order = pending(0, &[1]);
    let dispositions = commit(&table, vec![vec![vec![&order]]], Instant::now(), LONGEST)
        .await
        .dispositions;
    assert_eq!(dispositions, [(Record(0), Disposition::Retry(Cause::Busy))]);
    assert!(calls.lock().expect("no panic in here").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_by_the_deadline_does_not_count_as_written() {
    let (table, calls) = table(|_, _| Some(SILENCE));
    let order = pending(0, &[1]);
    let chains = vec![vec![vec![&order]]];
    let committed = commit(&table, chains, Instant::now() + MINUTE, LONGEST).await;
    let expected = [(Record(0), Disposition::Retry(Cause::Busy))];
    assert_eq!(committed.dispositions, expected);
    assert_eq!(committed.first_write, None);
    assert_eq!(calls.lock().expect("no panic in here").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_tried_is_no_records_fault() {
    let (table, _) = table(|_, _| Some(refused(500, "InternalServerError")));
    let orders = [pending(0, &[1]), pending(1, &[1])];
    let chains = vec![orders.iter().map(|order| vec![order]).collect()];
    let deadline = Instant::now() + Duration::from_secs(5);
    let dispositions = commit(&table, chains, deadline, LONGEST).await.dispositions;
    let expected = [Cause::Table, Cause::Busy].map(Disposition::Retry);
    assert_eq!(sorted(dispositions), expected);
}

#[tokio::test(start_paused = true)]
async fn a_group_in_conflict_lets_the_others_go_on() {
    let (table, calls) = table(|request, n| {
        let hit = |action: &Value| claims(action, "a1").then_some("TransactionConflict");
        let is_hit = request.to_string().contains("\"a1\"");
        (is_hit && n < 12).then(|| cancelled(request, hit))
    });
    let orders: Vec<_> = (0..10_u8).map(|n| pending(n.into(), &[n + 1])).collect();
    let chains = orders.iter().map(|order| vec![vec![order]]).collect();
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(sorted(dispositions), vec![stored(Outcome::Confirmed); 10]);
    let calls = calls.lock().expect("no panic in here");
    assert!(calls[9] < 25, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_learnt_is_used_at_once_and_a_conflict_is_waited_out() {
    let (table, calls) = table(|request, n| match n {
        0 => {
            let item = kit::row_of("a1", 0);
            let lacks = json!({"Code": "ConditionalCheckFailed", "Item": item});
            let (status, mut body) = cancelled(request, |_| None);
            body["CancellationReasons"][1] = lacks;
            Some((status, body))
        }
        1..4 => Some(refused(400, "TransactionConflictException")),
        _ => None,
    });
    let order = pending(0, &[1]);
    let chains = vec![vec![vec![&order]]];
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    let rejected = stored(Outcome::TOO_LITTLE);
    assert_eq!(dispositions, [(Record(0), rejected)]);
    assert_eq!(
        *calls.lock().expect("no panic in here"),
        [0, 0, 25, 75, 175]
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_stored_before_leaves_its_group_and_the_others_are_stored() {
    let orders = [1, 2, 3].map(|n| pending(n, &[1]));
    let own = orders[0].placed.fingerprint().as_str().to_owned();
    let (table, calls) = table(move |request, n| {
        let row = json!({"fingerprint": {"S": own}, "status": {"S": "confirmed"}});
        let exists = json!({"Code": "ConditionalCheckFailed", "Item": row});
        let (status, mut body) = cancelled(request, |_| None);
        body["CancellationReasons"][1] = exists;
        (n == 0).then_some((status, body))
    });
    let chains = vec![vec![orders.iter().collect()]];
    let committed = commit(&table, chains, Instant::now() + MINUTE, LONGEST).await;
    let expected = [
        stored(Outcome::Confirmed),
        Disposition::UnknownOutcome,
        stored(Outcome::Confirmed),
    ];
    assert_eq!(sorted(committed.dispositions), expected);
    assert_eq!(*calls.lock().expect("no panic in here"), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn orders_of_a_throttled_key_keep_no_others_waiting() {
    let (table, calls) = table(|request, _| {
        let hit = |action: &Value| claims(action, "a1").then_some("ThrottlingError");
        let is_hit = request.to_string().contains("\"a1\"");
        is_hit.then(|| cancelled(request, hit))
    });
    let orders = [pending(0, &[1]), pending(1, &[2]), pending(2, &[1, 3])];
    let start = Instant::now();
    let chains = vec![vec![orders.iter().collect()]];
    let dispositions = commit(&table, chains, start + 2 * MINUTE, LONGEST)
        .await
        .dispositions;
    let throttled = Disposition::Retry(Cause::Table);
    assert_eq!(
        sorted(dispositions),
        [throttled.clone(), stored(Outcome::Confirmed), throttled]
    );
    // It gives up on them early, to make room for other batches.
    assert!(start.elapsed() < MINUTE, "{:?}", start.elapsed());
    assert!(calls.lock().expect("no panic in here").len() < 40);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_throttles_everything_is_waited_for_until_the_deadline() {
    let (table, _) = table(|request, n| {
        (n > 0).then(|| cancelled(request, |_| Some("ProvisionedThroughputExceeded")))
    });
    let orders = [pending(0, &[1]), pending(1, &[2])];
    let start = Instant::now();
    let chains = orders.iter().map(|order| vec![vec![order]]).collect();
    let dispositions = commit(&table, chains, start + 2 * MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(
        sorted(dispositions),
        [stored(Outcome::Confirmed), Disposition::Retry(Cause::Busy)]
    );
    assert!(start.elapsed() >= 2 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_rejected_as_a_whole_is_bisected_until_the_order_to_blame_is_alone() {
    for (status, code) in [(400, "ValidationException"), (413, "RequestTooLarge")] {
        let (table, _) = table(move |request, _| {
            let is_hit = request.to_string().contains("\"a31\"");
            is_hit.then(|| refused(status, code))
        });
        only_the_31st_of_40_fails(&table).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_without_a_reason_is_bisected_and_not_waited_out() {
    let (table, calls) = table(|request, _| {
        let is_hit = request.to_string().contains("\"a31\"");
        is_hit.then(|| cancelled(request, |_| None))
    });
    only_the_31st_of_40_fails(&table).await;
    // Halves, and each half that is valid. No transaction is tried twice.
    assert!(calls.lock().expect("no panic in here").len() <= 14);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_there_is_asked_once() {
    let (table, calls) = table(|_, _| Some(refused(400, "ResourceNotFoundException")));
    let order = pending(0, &[1]);
    let chains = vec![vec![vec![&order]]];
    let dispositions = commit(&table, chains, Instant::now() + MINUTE, LONGEST)
        .await
        .dispositions;
    assert_eq!(
        dispositions,
        [(Record(0), Disposition::Retry(Cause::Table))]
    );
    assert_eq!(calls.lock().expect("no panic in here").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_only_the_order_that_causes_it() {
    let (table, _) = table(|request, _| {
        assert!(!request.to_string().contains("\"a31\""), "this panics");
        None
    });
    only_the_31st_of_40_fails(&table).await;
}
