//! Outcomes that are published on a bus.

use super::*;
use serde_json::json;

/// The bus takes all entries of a call, which are at most ten.
fn taken() -> Answer {
    let result = json!({"EventId": "1"});
    (200, json!({"Entries": vec![result; 10]}))
}

/// Cancels a transaction of one order with fifty claims, because the order has this row.
fn has_row(row: &Value) -> Answer {
    let mut reasons = vec![json!({"Code": "None"}); 51];
    reasons[0] = json!({"Code": "ConditionalCheckFailed", "Item": row});
    let body = json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
    (400, body)
}

/// The row of the order `n` with these values, stored by an earlier delivery.
fn row(n: u8, status: &str, fingerprint: Option<&str>) -> Value {
    let body = record(n, 1, SECOND).body.unwrap_or_default();
    let placed = events::OrderPlaced::from_json(&body).expect("an order");
    let fingerprint = fingerprint.unwrap_or(placed.fingerprint().as_str());
    let text = |text: &str| json!({"S": text});
    json!({
        "id": text(&placed.id().to_string()), "status": text(status), "fingerprint": text(fingerprint),
        "placed_at": text("2020-01-01T00:00:00.000Z"), "processed_at": text("2020-01-01T00:00:01.000Z"),
    })
}

#[tokio::test(start_paused = true)]
async fn each_outcome_is_published_once_it_has_a_row_and_nothing_else_is() -> anyhow::Result<()> {
    let check = async |receives, table: fn(&str) -> Option<Answer>, expected: &[(&str, &str)]| {
        let answer = move |call: &str, _| match call {
            "PutEvents" => Some(taken()),
            call => table(call),
        };
        let records = vec![record(0, receives, SECOND)];
        let handled = handle_by(records, 10 * SECOND, true, answer).await?;
        let published = handled.published.iter().map(|(kind, detail)| {
            let placed_at = detail["placed_at"].as_str().unwrap_or_default();
            (kind.as_str(), &placed_at[..4])
        });
        assert_eq!(published.collect::<Vec<_>>(), expected);
        anyhow::Ok(handled)
    };
    let confirmed = [("Order Confirmed", "2026")];
    let handled = check(1, |_| None, &confirmed).await?;
    assert!(handled.failed.is_empty());
    // Settled by the last attempt: it has not failed.
    check(10, |_| None, &confirmed).await?;
    // A redelivery publishes what the row says, and the time at which the order was first placed.
    let before =
        |call: &str| (call == "TransactWriteItems").then(|| has_row(&row(0, "confirmed", None)));
    let handled = check(1, before, &[("Order Confirmed", "2020")]).await?;
    assert_eq!(
        handled.published[0].1["processed_at"],
        "2020-01-01T00:00:01.000Z"
    );
    assert!(handled.failed.is_empty());
    // This worker doesn't know the outcome: another one must publish it.
    let later = |_: &str| Some(has_row(&row(0, "cancelled", None)));
    assert_eq!(check(1, later, &[]).await?.failed, [("0".to_owned(), None)]);
    // The row belongs to another order.
    let mismatch = |_: &str| Some(has_row(&row(0, "confirmed", Some("another"))));
    assert!(check(1, mismatch, &[]).await?.failed.is_empty());
    // Without a row, no outcome is published.
    let malformed =
        |call: &str| (call == "TransactWriteItems").then(|| refused(400, "ValidationException"));
    assert_eq!(check(9, malformed, &[]).await?.failed.len(), 1);
    assert_eq!(
        check(10, malformed, &[("Order Failed", "2026")])
            .await?
            .failed
            .len(),
        1
    );
    let refuses_all = |_: &str| Some(refused(400, "ValidationException"));
    assert_eq!(check(10, refuses_all, &[]).await?.failed.len(), 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_row_that_says_failed_already_is_published_and_any_other_is_not() -> anyhow::Result<()> {
    let check = async |row: Value, expected: &[&str]| {
        let answer = move |call: &str, _| match call {
            "PutEvents" => Some(taken()),
            "PutItem" => None,
            "Look" => Some(has_row(&row)),
            _ => Some(refused(400, "ValidationException")),
        };
        let records = vec![record(0, 10, SECOND)];
        let handled = handle_by(records, 10 * SECOND, true, answer).await?;
        let published: Vec<_> = handled
            .published
            .iter()
            .map(|(kind, _)| kind.as_str())
            .collect();
        assert_eq!(published, expected);
        assert_eq!(handled.failed.len(), 1);
        anyhow::Ok(())
    };
    check(row(0, "failed", None), &["Order Failed"]).await?;
    check(row(0, "failed", Some("another")), &[]).await?;
    check(row(0, "confirmed", None), &[]).await
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_on_the_last_delivery_publishes_no_failure() -> anyhow::Result<()> {
    for lost in [SILENCE, refused(500, "InternalServerError")] {
        let answer = move |call: &str, _| match call {
            "PutEvents" => Some(taken()),
            // It is stored as failed, and then settled by a transaction whose answer is lost.
            "PutItem" => None,
            "Look" => Some(has_row(&row(0, "confirmed", None))),
            _ => Some(lost.clone()),
        };
        let records = vec![record(0, 10, SECOND)];
        let handled = handle_by(records, 10 * SECOND, true, answer).await?;
        assert!(handled.published.is_empty(), "{:?}", handled.published);
        assert_eq!(handled.failed.len(), 1);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_outcome_is_unpublished_comes_back_by_the_queues_own_timeout()
-> anyhow::Result<()> {
    let check = async |answer: Option<Answer>, failed: &[&str]| {
        let answer = move |call: &str, _| answer.clone().filter(|_| call == "PutEvents");
        let records = [0, 1].map(|n| record(n, 1, SECOND));
        let handled = handle_by(records.into(), 10 * SECOND, true, answer).await?;
        let expected: Vec<_> = failed.iter().map(|id| ((*id).to_owned(), None)).collect();
        assert_eq!(handled.failed, expected);
        anyhow::Ok(())
    };
    check(Some(taken()), &[]).await?;
    check(Some(refused(400, "ThrottlingException")), &["0", "1"]).await?;
    check(Some(refused(400, "AccessDeniedException")), &["0", "1"]).await?;
    check(Some(SILENCE), &["0", "1"]).await?;
    let results = json!([{"EventId": "1"}, {"ErrorCode": "MalformedDetail"}]);
    check(Some((200, json!({"Entries": results}))), &["1"]).await
}

#[tokio::test(start_paused = true)]
async fn time_is_kept_for_publishing() -> anyhow::Result<()> {
    // The table takes one order and throttles the other until the end.
    let answer = |call: &str, n| match call {
        "PutEvents" => Some(taken()),
        "TransactWriteItems" if n > 0 => Some(refused(400, "ThrottlingException")),
        _ => None,
    };
    for (seconds, writing) in [(10, 7.5), (40, 30.0), (147, 137.0)] {
        let start = Instant::now();
        let records = [0, 1].map(|n| record(n, 1, 60 * SECOND));
        let handled = handle_by(records.into(), seconds * SECOND, true, answer).await?;
        assert_eq!((handled.published.len(), handled.failed.len()), (1, 1));
        let written = start.elapsed().as_secs_f64();
        assert!((written - writing).abs() < 0.01, "{seconds}: {written}");
    }
    Ok(())
}
