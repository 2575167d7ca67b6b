//! Answers as recorded on AWS, where LocalStack or an SDK keeps `sqs_rules` from checking them.

use super::*;
use axum::body::to_bytes;

async fn ask(sqs: &Sqs, operation: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let body = body.to_string().into();
    let answer = sqs.handle(&Head::default(), operation, body).await;
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

/// Makes a queue `q` whose one message was received and is visible again; also returns its receipt handle.
async fn visible_again() -> anyhow::Result<(Sqs, String)> {
    let sqs = Sqs::open(None, "")?;
    let mut queue = queue("q");
    queue.visibility_timeout = Duration::ZERO;
    sqs.create(&queue)?;
    send(&sqs, "body").await;
    let message = receive(&sqs, "q", 0).await?.context("no message")?;
    Ok((sqs, message.receipt_handle))
}

fn hide(handle: &str) -> Value {
    json!({"QueueUrl": url("", "q"), "ReceiptHandle": handle, "VisibilityTimeout": 600})
}

#[tokio::test]
async fn a_late_receiver_hides_a_message_that_is_visible_again() -> anyhow::Result<()> {
    let (sqs, handle) = visible_again().await?;
    let (status, _) = ask(&sqs, "ChangeMessageVisibility", &hide(&handle)).await?;
    assert_eq!(status, 200);
    assert_eq!(receive(&sqs, "q", 0).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_handle_is_of_one_message_even_if_another_takes_its_place() -> anyhow::Result<()> {
    let (sqs, handle) = visible_again().await?;
    sqs.delete("q", std::slice::from_ref(&handle))?;
    send(&sqs, "another").await;
    receive(&sqs, "q", 0).await?.context("no message")?;
    let (status, body) = ask(&sqs, "ChangeMessageVisibility", &hide(&handle)).await?;
    let reason = "Message does not exist or is not available for visibility timeout change.";
    let message =
        format!("Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}");
    assert_eq!((status, &body["message"]), (400, &json!(message)));
    assert!(receive(&sqs, "q", 0).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_null_is_a_member_that_is_not_there() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    let q = url("", "q");
    for (operation, body) in [
        ("CreateQueue", json!({"QueueName": "q", "Attributes": null})),
        (
            "SendMessage",
            json!({
                "QueueUrl": q, "MessageBody": "body", "DelaySeconds": null, "MessageAttributes": null,
                "MessageSystemAttributes": null, "MessageGroupId": null,
            }),
        ),
        (
            "ReceiveMessage",
            json!({
                "QueueUrl": q, "AttributeNames": null, "MessageSystemAttributeNames": null,
                "MessageAttributeNames": null, "MaxNumberOfMessages": null, "VisibilityTimeout": null,
                "WaitTimeSeconds": null,
            }),
        ),
        (
            "GetQueueAttributes",
            json!({"QueueUrl": q, "AttributeNames": null}),
        ),
        (
            "ListQueues",
            json!({"QueueNamePrefix": null, "NextToken": null, "MaxResults": null}),
        ),
        (
            "ListDeadLetterSourceQueues",
            json!({"QueueUrl": q, "NextToken": null, "MaxResults": null}),
        ),
    ] {
        let (status, answer) = ask(&sqs, operation, &body).await?;
        assert_eq!(status, 200, "{operation}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_has_the_recorded_status_and_text() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    let (q, arn) = (url("", "q"), arn("q"));
    let no_source = "The resource that you specified for the SourceArn parameter doesn't exist.";
    for (operation, body, status, message) in [
        (
            "ReceiveMessage",
            json!({"QueueUrl": q, "WaitTimeSeconds": -1}),
            400,
            "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            "ReceiveMessage",
            json!({"QueueUrl": q, "MaxNumberOfMessages": -1}),
            400,
            "Value -1 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            "GetQueueUrl",
            json!({"QueueName": "missing"}),
            400,
            "The specified queue does not exist.",
        ),
        (
            "DeleteMessage",
            json!({"QueueUrl": q, "ReceiptHandle": "garbage"}),
            400,
            "The input receipt handle \"garbage\" is not a valid receipt handle.",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": "30", "DelaySeconds": "2"}}),
            400,
            "A queue already exists with the same name and a different value for attribute DelaySeconds",
        ),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": arn}),
            400,
            "Source queue must be configured as a Dead Letter Queue.",
        ),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": format!("{arn}-missing")}),
            404,
            no_source,
        ),
        (
            "CancelMessageMoveTask",
            json!({"TaskHandle": "foobared"}),
            400,
            "Value for parameter TaskHandle is invalid.",
        ),
    ] {
        let (code, answer) = ask(&sqs, operation, &body).await?;
        assert_eq!(
            (code, &answer["message"]),
            (status, &json!(message)),
            "{operation}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_batch_is_refused_by_the_name_of_its_entries() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    let empty = json!({"QueueUrl": url("", "q"), "Entries": []});
    for operation in ["SendMessageBatch", "DeleteMessageBatch"] {
        let (status, body) = ask(&sqs, operation, &empty).await?;
        let message =
            format!("There should be at least one {operation}RequestEntry in the request.");
        assert_eq!((status, &body["message"]), (400, &json!(message)));
    }
    Ok(())
}
