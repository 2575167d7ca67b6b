use super::*;
use crate::group::tests::pending;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const WRITTEN: Outcome = Outcome::Written(Verdict::Confirmed);

#[tokio::test]
async fn a_panic_fails_only_the_order_that_causes_it() {
    let orders: Vec<_> = (0..50).map(|n| pending(n, &[1], 300)).collect();
    let mut outcomes = halve(orders.iter().collect(), async |group, outcomes| {
        assert!(group.iter().all(|order| order.record != 31), "this panics");
        outcomes.extend(group.iter().map(|order| (order.record, WRITTEN)));
        Written::Done
    })
    .await;
    outcomes.sort_by_key(|(record, _)| *record);
    let expected: Vec<_> = (0..50).map(|n| (n, WRITTEN)).collect();
    assert_eq!(outcomes[..31], expected[..31]);
    assert_eq!(outcomes[31], (31, Outcome::Failed(Fault::Record)));
    assert_eq!(outcomes[32..], expected[32..]);
}

#[tokio::test]
async fn what_is_known_before_a_panic_stays_known() {
    let orders = [pending(0, &[1], 300), pending(1, &[1], 300)];
    let outcomes = halve(orders.iter().collect(), async |_, outcomes| {
        outcomes.push((0, Outcome::Redelivered));
        panic!("after one order was found to exist")
    })
    .await;
    assert_eq!(outcomes[0], (0, Outcome::Redelivered));
    assert_eq!(outcomes.last(), Some(&(1, Outcome::Failed(Fault::Record))));
}

/// A table that throttles as many transactions as `throttles` says, and counts it down.
fn table(throttles: Arc<AtomicU32>) -> OrderTable {
    let http = infallible_client_fn(move |_| {
        let left =
            throttles.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        let (status, body) = match left {
            Ok(_) => (
                400,
                r#"{"__type":"ProvisionedThroughputExceededException"}"#,
            ),
            Err(_) => (200, "{}"),
        };
        http::Response::builder()
            .status(status)
            .body(body)
            .expect("a response")
    });
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .http_client(http)
        .build();
    let dynamodb = Client::from_conf(config);
    OrderTable::new(dynamodb, "orders".to_owned(), "articles".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_table_that_throttles_is_waited_for_at_its_pace_alone() {
    fastrand::seed(1);
    let throttles = Arc::new(AtomicU32::new(0));
    let table = table(throttles.clone());
    let deadline = Instant::now() + Duration::from_mins(1);
    let orders: Vec<_> = (0..50).map(|n| pending(n, &[1], 300)).collect();
    for _ in 0..100 {
        let outcomes = commit(&table, orders.iter().collect(), deadline).await;
        assert_eq!(outcomes[49], (49, WRITTEN));
    }
    let start = Instant::now();
    throttles.store(5, Ordering::Relaxed);
    let outcomes = commit(&table, vec![&orders[0]], deadline).await;
    assert_eq!(outcomes, [(0, WRITTEN)]);
    assert_eq!(throttles.load(Ordering::Relaxed), 0);
    // At 5,100 actions a second and less the pace waits for 20 ms in all; five conflicts would for 400 ms.
    let waited = start.elapsed();
    assert!(
        waited > Duration::ZERO && waited < Duration::from_millis(50),
        "{waited:?}"
    );
}
