use super::*;
use anyhow::{Context, Result};
use serde_json::{Value, json};

const QUEUE: &str = "http://127.0.0.1:3001/000000000000/Orders";

/// Makes a call with this request and this answer.
async fn call(
    observer: &Arc<Observer>,
    operation: &str,
    request: &Value,
    status: StatusCode,
    answer: &Value,
) -> Result<()> {
    let watched = observer.call(operation, &request.to_string().into());
    let mut response = Response::new(Body::from(answer.to_string()));
    *response.status_mut() = status;
    let watched = watched.context("it isn't watched")?;
    let passed = watched.answered(Ok(response)).await?;
    assert_eq!(passed.status(), status);
    let passed = to_bytes(passed.into_body(), ANSWER_LIMIT).await?;
    assert_eq!(passed, answer.to_string());
    Ok(())
}

fn message(id: &str) -> String {
    json!({"id": id, "order": {}}).to_string()
}

#[tokio::test]
async fn an_order_is_accepted_when_the_queue_took_it() -> Result<()> {
    let observer = Arc::new(Observer::new("Orders", "OrdersTable"));
    let entry = |id: &str| json!({"Id": id, "MessageBody": message(id)});
    let batch = json!({"QueueUrl": QUEUE, "Entries": [entry("a"), entry("b"), entry("c")]});
    let answer = json!({"Failed": [{"Id": "b"}], "Successful": []});
    call(
        &observer,
        "SendMessageBatch",
        &batch,
        StatusCode::OK,
        &answer,
    )
    .await?;
    let single = |queue: &str| json!({"QueueUrl": queue, "MessageBody": message("d")});
    let (send, nothing) = ("SendMessage", json!({}));
    call(
        &observer,
        send,
        &single(QUEUE),
        StatusCode::SERVICE_UNAVAILABLE,
        &nothing,
    )
    .await?;
    let other = QUEUE.replace("Orders", "OrdersDeadLetterQueue");
    call(&observer, send, &single(&other), StatusCode::OK, &nothing).await?;
    assert_eq!(observer.totals().accepted, 2);
    let ids = observer.journal().latest(9).into_iter().map(|(id, _)| id);
    assert_eq!(ids.collect::<Vec<_>>(), ["c", "a"]);
    Ok(())
}

#[tokio::test]
async fn an_orders_row_is_its_outcome_and_other_rows_are_not_counted() -> Result<()> {
    let observer = Arc::new(Observer::new("Orders", "OrdersTable"));
    observer.journal().accepted("a", Timestamp::now());
    let put = |table: &str, id: &str, status: &str| {
        let item = json!({"id": {"S": id}, "status": {"S": status}, "order": {"M": {}}});
        json!({"TableName": table, "Item": item})
    };
    let actions = json!([
        {"Put": put("OrdersTable", "a", "confirmed")},
        {"Put": put("OrdersTable", "unseen", "rejected")},
        {"Put": put("Other", "a", "failed")},
        {"Update": {"TableName": "ArticlesTable"}},
    ]);
    let transaction = json!({"TransactItems": actions});
    let (write, nothing) = ("TransactWriteItems", json!({}));
    call(&observer, write, &transaction, StatusCode::OK, &nothing).await?;
    call(
        &observer,
        "PutItem",
        &put("OrdersTable", "b", "failed"),
        StatusCode::OK,
        &nothing,
    )
    .await?;
    assert_eq!(observer.totals().written, 3);
    let path = observer.journal().path("a").context("it isn't known")?;
    assert_eq!(
        path.outcome.map(|outcome| outcome.status).as_deref(),
        Some("confirmed")
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_write_is_throttled_or_in_conflict_or_neither() -> Result<()> {
    let observer = Arc::new(Observer::new("Orders", "OrdersTable"));
    let prefix = "com.amazonaws.dynamodb.v20120810#";
    let refusal = |code: &str, reason: &str| {
        let reasons = [json!({"Code": "None"}), json!({"Code": reason})];
        json!({"__type": format!("{prefix}{code}"), "CancellationReasons": reasons})
    };
    let cancelled = "TransactionCanceledException";
    for (code, reason, throttled, conflicts) in [
        ("ProvisionedThroughputExceededException", "None", 1, 0),
        (cancelled, "ThrottlingError", 2, 0),
        (cancelled, "TransactionConflict", 2, 1),
        ("TransactionInProgressException", "None", 2, 2),
        (cancelled, "ConditionalCheckFailed", 2, 2),
        ("ValidationException", "None", 2, 2),
    ] {
        let answer = refusal(code, reason);
        let transaction = json!({"TransactItems": []});
        call(
            &observer,
            "TransactWriteItems",
            &transaction,
            StatusCode::BAD_REQUEST,
            &answer,
        )
        .await?;
        let totals = observer.totals();
        assert_eq!(
            (totals.throttled, totals.conflicts),
            (throttled, conflicts),
            "{code} {reason}"
        );
    }
    assert!(observer.call("GetItem", &Bytes::new()).is_none());
    Ok(())
}
