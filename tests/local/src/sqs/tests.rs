//! Tests the rules that no client can show on a real queue in a short time. The other rules are in `sqs_rules` of the e2e
//! tests.

mod recorded;

use super::*;
use crate::faults::Delivery;
use anyhow::Context;
use serde_json::{Value, json};
use std::time::Instant;

#[tokio::test]
async fn an_expired_message_vanishes() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    let mut queue = queue("q");
    queue.retention = Duration::from_millis(100);
    queue.delay = Duration::from_millis(200);
    sqs.create(&queue)?;
    send(&sqs, "expired").await;
    assert_eq!(receive(&sqs, "q", 500).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_dead_letter_expires_by_its_first_send() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    let mut dead_letters = queue("dead-letters");
    dead_letters.retention = Duration::from_millis(400);
    sqs.create(&dead_letters)?;
    let mut queue = queue("q");
    queue.visibility_timeout = Duration::from_millis(500);
    queue.redrive = Some(model::Redrive {
        dead_letter_queue: "dead-letters".to_owned(),
        max_receive_count: 1,
    });
    sqs.create(&queue)?;
    send(&sqs, "old").await;
    assert!(receive(&sqs, "q", 0).await?.is_some());
    // It becomes a dead letter during this poll, already older than the dead-letter queue's retention.
    assert_eq!(receive(&sqs, "q", 600).await?, None);
    assert_eq!(receive(&sqs, "dead-letters", 0).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_replaced_receipt_handle_deletes_nothing() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    let mut queue = queue("q");
    queue.visibility_timeout = Duration::ZERO;
    sqs.create(&queue)?;
    send(&sqs, "body").await;
    let mut handles = Vec::new();
    for _ in 0..2 {
        let message = receive(&sqs, "q", 0).await?;
        handles.extend(message.map(|message| message.receipt_handle));
    }
    sqs.delete("q", &handles[..1])?;
    assert!(receive(&sqs, "q", 0).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_may_be_received() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("dead-letters"))?;
    let mut queue = queue("q");
    queue.redrive = Some(model::Redrive {
        dead_letter_queue: "dead-letters".to_owned(),
        max_receive_count: 3,
    });
    sqs.create(&queue)?;
    let hide = |queue, handle, seconds| json!({"QueueUrl": url("", queue), "ReceiptHandle": handle, "VisibilityTimeout": seconds});
    let (send, change) = ("SendMessage", "ChangeMessageVisibility");
    let body = json!({"QueueUrl": url("", "q"), "MessageBody": "body"});
    let handle = poll_during(&sqs, "q", send, &body).await?;
    let handle = poll_during(&sqs, "q", change, &hide("q", handle, 0)).await?;
    // The poll continues for the second that the message stays hidden.
    let handle = poll_during(&sqs, "q", change, &hide("q", handle, 1)).await?;
    request(&sqs, change, &hide("q", handle, 0)).await;
    let receive = json!({"QueueUrl": url("", "q")});
    let handle = poll_during(&sqs, "dead-letters", "ReceiveMessage", &receive).await?;
    request(&sqs, change, &hide("dead-letters", handle, 0)).await;
    let source = json!({"SourceArn": arn("dead-letters")});
    poll_during(&sqs, "q", "StartMessageMoveTask", &source).await?;
    Ok(())
}

#[tokio::test]
async fn an_accepted_message_is_in_the_file() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("queues.sqlite");
    let killed = Sqs::open(Some(&file), "")?;
    killed.create(&queue("q"))?;
    send(&killed, "kept").await;
    assert!(receive(&killed, "q", 0).await?.is_some());
    send(&killed, "new").await;
    // The first one is still open: nothing was flushed by closing it.
    let restarted = Sqs::open(Some(&file), "")?;
    let mut changed = queue("q");
    changed.visibility_timeout = Duration::ZERO;
    restarted.create(&changed)?;
    for _ in 0..2 {
        let message = receive(&restarted, "q", 0).await?;
        assert_eq!(message.map(|message| message.body).as_deref(), Some("new"));
    }
    Ok(())
}

#[tokio::test]
async fn at_most_120_000_messages_are_in_flight() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    sqs.0.store.transaction(|tables| {
        tables.execute_batch(
            "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 120001)
            INSERT INTO message (queue, id, body, md5, sent_at, visible_at)
            SELECT 1, n, 'body', '', unixepoch() * 1000, 0 FROM number",
        )?;
        Ok(())
    })?;
    let received = sqs.receive("q", 200_000, Duration::ZERO).await?;
    assert_eq!(received.len(), 120_000);
    let refused = sqs.receive("q", 1, Duration::ZERO).await;
    assert!(refused.is_err_and(|error| matches!(error.downcast_ref(), Some(SqsError::OverLimit))));
    sqs.delete("q", &[received[0].receipt_handle.clone()])?;
    assert!(receive(&sqs, "q", 0).await?.is_some());
    Ok(())
}

/// A message that is sent or received late in a millisecond of the clock is still hidden for the whole time.
#[tokio::test]
async fn no_delay_or_visibility_timeout_is_cut_short() -> anyhow::Result<()> {
    for milliseconds in 1..=5 {
        let sqs = Sqs::open(None, "")?;
        let hidden = Duration::from_millis(milliseconds);
        let mut queue = queue("q");
        queue.delay = hidden;
        queue.visibility_timeout = hidden;
        sqs.create(&queue)?;
        let mut hidden_at = Instant::now();
        send(&sqs, "body").await;
        for _ in 0..40 {
            let received_at = await_message(&sqs).await?;
            assert!(hidden_at.elapsed() >= hidden, "{:?}", hidden_at.elapsed());
            hidden_at = received_at;
        }
    }
    Ok(())
}

/// Returns the time just before the receive that found a message.
async fn await_message(sqs: &Sqs) -> anyhow::Result<Instant> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let before = Instant::now();
        if receive(sqs, "q", 0).await?.is_some() {
            return Ok(before);
        }
        anyhow::ensure!(before < deadline, "no message came");
    }
}

#[tokio::test]
async fn an_unknown_operation_is_refused() {
    let sqs = Sqs::open(None, "").expect("memory opens");
    let refused = sqs.handle(&Head::default(), "TagQueue", "{}".into()).await;
    assert_eq!(refused.status(), 400);
    let code = &refused.headers()["x-amzn-query-error"];
    assert_eq!(code, "AWS.SimpleQueueService.UnsupportedOperation;Sender");
}

fn queue(name: &str) -> model::Queue {
    model::Queue {
        name: name.to_owned(),
        visibility_timeout: Duration::from_secs(30),
        retention: Duration::from_hours(96),
        delay: Duration::ZERO,
        maximum_message_size: 1_048_576,
        receive_wait: Duration::ZERO,
        redrive: None,
    }
}

/// Starts a long poll, then makes the request, because of which the poll gets the message.
async fn poll_during(
    sqs: &Sqs,
    queue: &str,
    operation: &str,
    body: &Value,
) -> anyhow::Result<String> {
    let started = Instant::now();
    let poll = sqs.receive(queue, 1, Duration::from_secs(20));
    let (received, ()) = tokio::join!(biased; poll, request(sqs, operation, body));
    assert!(started.elapsed() < Duration::from_secs(10), "{operation}");
    let message = received?.pop().context("a message")?;
    Ok(message.receipt_handle)
}

async fn send(sqs: &Sqs, body: &str) {
    let body = json!({"QueueUrl": url("", "q"), "MessageBody": body});
    request(sqs, "SendMessage", &body).await;
}

async fn request(sqs: &Sqs, operation: &str, body: &Value) {
    let body = body.to_string().into();
    let answer = sqs.handle(&Head::default(), operation, body).await;
    assert_eq!(answer.status(), 200, "{operation}");
}

async fn receive(sqs: &Sqs, queue: &str, wait_ms: u64) -> anyhow::Result<Option<Message>> {
    let wait = Duration::from_millis(wait_ms);
    Ok(sqs.receive(queue, 1, wait).await?.pop())
}

#[tokio::test]
async fn an_overtaken_message_comes_after_those_behind_it() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    for body in ["a", "b", "c"] {
        send(&sqs, body).await;
    }
    let fate = |body: &str| (body == "a").then_some(Delivery::Overtaken);
    let mut bodies = Vec::new();
    for most in [1, 5] {
        let messages = sqs.deliver("q", most, Duration::ZERO, &fate).await?;
        bodies.extend(messages.into_iter().map(|message| message.body));
    }
    assert_eq!(bodies, ["b", "c", "a"]);
    Ok(())
}

#[tokio::test]
async fn a_copy_has_its_messages_id_and_is_deleted_by_itself() -> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    send(&sqs, "body").await;
    let twice = |_: &str| Some(Delivery::Twice(Duration::from_millis(100)));
    let first = sqs.deliver("q", 5, Duration::ZERO, &twice).await?;
    assert_eq!(first.len(), 1);
    sqs.delete("q", &[first[0].receipt_handle.clone()])?;
    let copy = sqs.receive("q", 5, Duration::from_secs(10)).await?;
    assert_eq!(copy.len(), 1);
    assert_eq!(copy[0].id, first[0].id);
    assert_ne!(copy[0].receipt_handle, first[0].receipt_handle);
    sqs.delete("q", &[copy[0].receipt_handle.clone()])?;
    assert!(sqs.receive("q", 5, Duration::ZERO).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_back_early_is_hidden_by_the_handle_of_either_receive()
-> anyhow::Result<()> {
    let sqs = Sqs::open(None, "")?;
    sqs.create(&queue("q"))?;
    send(&sqs, "body").await;
    let early = |_: &str| Some(Delivery::BackEarly(Duration::from_millis(100)));
    let first = sqs.deliver("q", 5, Duration::ZERO, &early).await?;
    let handle = first[0].receipt_handle.clone();
    let wait = Duration::from_secs(10);
    let second = sqs.deliver("q", 5, wait, &early).await?;
    assert_eq!(second[0].id, first[0].id);
    assert_ne!(second[0].receipt_handle, handle);
    let hide = json!({"QueueUrl": url("", "q"), "ReceiptHandle": handle, "VisibilityTimeout": 30});
    request(&sqs, "ChangeMessageVisibility", &hide).await;
    // The second receive's 100 ms no longer bring it back.
    let wait = Duration::from_millis(300);
    assert!(sqs.receive("q", 5, wait).await?.is_empty());
    sqs.delete("q", &[second[0].receipt_handle.clone()])?;
    assert_eq!(sqs.depth("q").in_flight, 0);
    Ok(())
}
