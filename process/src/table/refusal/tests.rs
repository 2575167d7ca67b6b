//! The translation of each of DynamoDB's answers.

use super::*;
use crate::{
    faked::{self, Answer, refused},
    stock::Known,
};
use events::{Timestamp, order::kit};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

/// Returns the refusal of a transaction with the orders 0 and 1, both for the key `a1`, after this answer of DynamoDB.
async fn refusal_of(answer: Answer) -> String {
    let table = faked::table(&faked::aws(move |_, _| Some(answer.clone())));
    let orders = [faked::pending(0, &[1]), faked::pending(1, &[1])];
    let transaction = Transaction::decide(&orders.iter().collect(), &Known::new());
    let now = Timestamp::from(std::time::SystemTime::UNIX_EPOCH);
    let refusal = table
        .write(&transaction, now)
        .await
        .expect_err("it is refused");
    let Refusal::Cancelled(findings) = refusal else {
        return format!("{refusal:?}");
    };
    let finding = |finding| match finding {
        Finding::StoredBefore(order, settled) => {
            let outcome = settled.map_or("unknown", |settled| settled.outcome.status());
            format!("{} stored before: {outcome}", order.record.0)
        }
        Finding::KeyMismatch(order, owner) => {
            let outcome = owner
                .settled
                .map_or("unknown", |settled| settled.outcome.status());
            let (record, fingerprint) = (order.record.0, owner.fingerprint);
            format!("{record} key mismatch: {fingerprint}, {outcome}")
        }
        Finding::Learnt(key, found) => format!("{key} {found:?}"),
        Finding::Conflict => "conflict".to_owned(),
        Finding::Throttled(key, _) => format!("{key:?} throttled"),
        Finding::Order(order, why) => format!("{} {why}", order.record.0),
        Finding::Key(key, why) => format!("{key} {why}"),
    };
    findings
        .into_iter()
        .map(finding)
        .collect::<Vec<_>>()
        .join(", ")
}

#[tokio::test]
async fn a_refused_request_says_what_to_do() {
    let check = async |status: u16, code: &str, expected: &str| {
        let refusal = refusal_of(refused(status, code)).await;
        assert!(refusal.starts_with(expected), "{status} {code}: {refusal}");
    };
    check(400, "TransactionConflictException", "Conflict").await;
    check(400, "ThrottlingException", "Throttled").await;
    check(400, "RequestLimitExceeded", "Throttled").await;
    check(400, "ProvisionedThroughputExceededException", "Throttled").await;
    check(500, "InternalServerError", "Unavailable").await;
    check(503, "", "Unavailable").await;
    check(400, "TransactionInProgressException", "Unavailable").await;
    check(400, "IdempotentParameterMismatchException", "Unavailable").await;
    check(400, "ValidationException", "Malformed").await;
    check(400, "SerializationException", "Malformed").await;
    check(413, "", "Malformed").await;
    check(400, "ResourceNotFoundException", "Broken").await;
    check(400, "AccessDeniedException", "Broken").await;
    check(400, "UnrecognizedClientException", "Broken").await;
    check(400, "", "Broken").await;
}

#[tokio::test]
async fn a_success_that_is_not_dynamodbs_is_no_write() {
    // No body, or one that isn't an object, as a proxy may send it.
    for body in [Value::Null, json!("<html>"), json!([]), json!(7)] {
        let refusal = refusal_of((200, body.clone())).await;
        assert!(refusal.starts_with("Unavailable"), "{body}: {refusal}");
    }
    let table = faked::table(&faked::aws(|_, _| Some((200, Value::Null))));
    let order = faked::pending(0, &[1]).placed;
    let now = Timestamp::from(std::time::SystemTime::UNIX_EPOCH);
    assert!(table.put_failed(&order, now).await.is_err());
    assert_eq!(table.failed(&order, now).await, None);
}

#[tokio::test]
async fn a_failed_row_is_put_again_by_each_last_delivery_and_over_an_expired_row() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let requests = asked.clone();
    let table = faked::table(&faked::aws(move |_, request| {
        requests
            .lock()
            .expect("no panic in here")
            .push(request.clone());
        None
    }));
    let order = faked::pending(0, &[1]).placed;
    let now = Timestamp::from(UNIX_EPOCH + Duration::from_secs(7));
    assert!(table.put_failed(&order, now).await.is_ok());
    let requests = asked.lock().expect("no panic in here");
    let put = &requests[0];
    assert_eq!(
        put["ConditionExpression"],
        "attribute_not_exists(id) OR (#status = :failed AND fingerprint = :mine) OR expires_at < :now"
    );
    let values = &put["ExpressionAttributeValues"];
    assert_eq!(values[":failed"]["S"], "failed");
    assert_eq!(values[":mine"]["S"], order.fingerprint().as_str());
    assert_eq!(values[":now"]["N"], "7");
}

#[tokio::test]
async fn a_cancellation_without_a_reason_is_no_conflict() {
    let none = json!({"Code": "None"});
    for reasons in [
        json!([none, none, none]),
        json!([none]),
        json!([{}, {}, {}]),
        json!([]),
        Value::Null,
    ] {
        let body =
            json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
        let refusal = refusal_of((400, body)).await;
        assert!(refusal.starts_with("Malformed"), "{reasons}: {refusal}");
    }
}

/// A row as stored by an earlier delivery.
fn row(fingerprint: &str, status: &str) -> Value {
    let time = || json!({"S": "2026-11-22T09:00:00.000Z"});
    let mut row = json!({
        "fingerprint": {"S": fingerprint}, "status": {"S": status},
        "placed_at": time(), "processed_at": time(),
    });
    if status == "rejected" {
        row["reason"] = json!({"S": json!(Outcome::TOO_LITTLE)["reason"]});
    }
    row
}

#[tokio::test]
async fn each_reason_names_the_order_or_the_key_that_it_is_about() {
    let own = faked::pending(0, &[1])
        .placed
        .fingerprint()
        .as_str()
        .to_owned();
    let without = |attribute: &str| {
        let mut row = row(&own, "confirmed");
        row.as_object_mut().map(|row| row.remove(attribute));
        row
    };
    let failed = |item: Value| json!({"Code": "ConditionalCheckFailed", "Item": item});
    let code = |code: &str| json!({"Code": code});
    let none = || code("None");
    // The reasons for the first order's put, the second's and the key's update.
    let check = async |reasons: [Value; 3], expected: &str| {
        let body =
            json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
        assert_eq!(refusal_of((400, body.clone())).await, expected, "{body}");
    };
    check(
        [failed(row(&own, "confirmed")), none(), none()],
        "0 stored before: confirmed",
    )
    .await;
    check(
        [none(), failed(row(&own, "rejected")), none()],
        "1 stored before: rejected",
    )
    .await;
    check(
        [failed(row(&own, "a later version's")), none(), none()],
        "0 stored before: unknown",
    )
    .await;
    for attribute in ["placed_at", "processed_at"] {
        check(
            [failed(without(attribute)), none(), none()],
            "0 stored before: unknown",
        )
        .await;
    }
    check([failed(row(&own, "failed")), none(), none()], "conflict").await;
    for (status, known) in [
        ("confirmed", "confirmed"),
        ("failed", "failed"),
        ("a later version's", "unknown"),
    ] {
        let expected = format!("0 key mismatch: other, {known}");
        check([failed(row("other", status)), none(), none()], &expected).await;
    }
    let strange = "0 its row has no status or no fingerprint";
    check([failed(json!({"id": {"S": "0"}})), none(), none()], strange).await;
    check([code("ConditionalCheckFailed"), none(), none()], strange).await;
    check([none(), none(), failed(kit::row_of("a1", 1))], "a1 Left(1)").await;
    let unreadable = find(Some(&Item::new())).expect_err("it has no number");
    let unreadable = format!("a1 {unreadable}");
    check([none(), none(), failed(json!({}))], &unreadable).await;
    check(
        [none(), none(), code("ConditionalCheckFailed")],
        "a1 Missing",
    )
    .await;
    check([code("TransactionConflict"), none(), none()], "conflict").await;
    check([code("ThrottlingError"), none(), none()], "None throttled").await;
    check(
        [none(), none(), code("ProvisionedThroughputExceeded")],
        "Some(\"a1\") throttled",
    )
    .await;
    check(
        [none(), code("ValidationError"), none()],
        "1 ValidationError: ",
    )
    .await;
    check(
        [none(), none(), code("ItemCollectionSizeLimitExceeded")],
        "a1 ItemCollectionSizeLimitExceeded: ",
    )
    .await;
    check(
        [
            failed(row(&own, "confirmed")),
            code("TransactionConflict"),
            code("ConditionalCheckFailed"),
        ],
        "0 stored before: confirmed, conflict, a1 Missing",
    )
    .await;
}
