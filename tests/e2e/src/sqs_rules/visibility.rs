//! Rules of visibility timeouts and receipt handles.

use super::{Patience, Queue, Queues, attribute, handle, refused};
use anyhow::{Context, ensure};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

pub async fn a_received_message_is_hidden(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    queue.receive().await?;
    queue.receives_nothing().await
}

pub async fn a_redelivered_message_counts_its_receives(queues: &Queues) -> anyhow::Result<()> {
    let visibility_timeout = (QueueAttributeName::VisibilityTimeout, "1");
    let queue = queues.create(&[visibility_timeout]).await?;
    queue.send("body").await?;
    let first = queue.receive().await?;
    queue.receive().await?;
    let third = queue.receive().await?;
    ensure!(third.message_id == first.message_id);
    ensure!(third.receipt_handle != first.receipt_handle);
    for (name, changes) in [
        (MessageSystemAttributeName::SentTimestamp, false),
        (
            MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
            false,
        ),
        (MessageSystemAttributeName::ApproximateReceiveCount, true),
    ] {
        let (before, after) = (attribute(&first, &name), attribute(&third, &name));
        ensure!(
            (before != after) == changes,
            "{name}: {before}, then {after}"
        );
    }
    ensure!(attribute(&third, &MessageSystemAttributeName::ApproximateReceiveCount) == "3");
    Ok(())
}

pub async fn a_receive_may_set_its_own_visibility_timeout(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let received_at = Instant::now();
    queue.receive_for(2).await?;
    queue.receive_for(1).await?;
    ensure!(received_at.elapsed() >= Duration::from_secs(2));
    queue.receive().await?;
    ensure!(received_at.elapsed() >= Duration::from_secs(3));
    // The third receive used the queue's own 30 s.
    queue.receives_nothing().await
}

pub async fn a_message_given_back_is_visible_at_once(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let message = queue.receive().await?;
    change(&queue, &message, 0).await?;
    queue.receive().await?;
    Ok(())
}

pub async fn a_prolonged_message_stays_hidden(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let received_at = Instant::now();
    let message = queue.receive_for(1).await?;
    change(&queue, &message, 3).await?;
    queue.receive().await?;
    ensure!(received_at.elapsed() >= Duration::from_secs(3));
    Ok(())
}

pub async fn a_visibility_timeout_is_at_most_twelve_hours(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let message = queue.receive().await?;
    for seconds in [43_201, -1] {
        let change = queue.client.change_message_visibility();
        let change = change
            .queue_url(&queue.url)
            .receipt_handle(handle(&message));
        let changed = change.visibility_timeout(seconds).send().await;
        refused(changed, "InvalidParameterValue")?;
    }
    change(&queue, &message, 43_000).await
}

pub async fn an_earlier_receipt_handle_changes_visibility(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let first = queue.receive_for(0).await?;
    let second = queue.receive_for(600).await?;
    ensure!(second.message_id == first.message_id);
    change(&queue, &first, 0).await?;
    let received_at = Instant::now();
    queue.receive_for(1).await?;
    change(&queue, &first, 3).await?;
    queue.receive().await?;
    ensure!(received_at.elapsed() >= Duration::from_secs(3));
    Ok(())
}

/// The documentation says `MessageNotInflight`; AWS was recorded to return no error. What the change does then was not
/// recorded.
pub async fn a_visible_message_takes_a_change_of_visibility(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let message = queue.receive_for(1).await?;
    queue.await_visible().await?;
    change(&queue, &message, 1).await?;
    ensure!(queue.receive().await?.message_id == message.message_id);
    Ok(())
}

pub async fn a_visible_message_is_deleted_by_its_receipt_handle(
    queues: &Queues,
) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let message = queue.receive_for(1).await?;
    queue.await_visible().await?;
    let delete = queue.client.delete_message().queue_url(&queue.url);
    delete.receipt_handle(handle(&message)).send().await?;
    queue.receives_nothing().await
}

pub async fn a_deleted_message_is_gone(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let first = queue.receive_for(0).await?;
    let second = queue.receive_for(1).await?;
    let delete = |message: &Message| {
        let delete = queue.client.delete_message().queue_url(&queue.url);
        delete.receipt_handle(handle(message)).send()
    };
    delete(&second).await?;
    delete(&second).await.context("deleting again succeeds")?;
    delete(&first).await.context("an old handle succeeds")?;
    queue.receives_nothing().await?;
    let request = queue.client.change_message_visibility();
    let request = request
        .queue_url(&queue.url)
        .receipt_handle(handle(&second));
    refused(
        request.visibility_timeout(5).send().await,
        "InvalidParameterValue",
    )
}

pub async fn an_invalid_receipt_handle_is_refused(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let delete = queue.client.delete_message().queue_url(&queue.url);
    let deleted = delete.receipt_handle("garbage").send().await;
    refused(deleted, "ReceiptHandleIsInvalid")?;
    let change = queue.client.change_message_visibility();
    let change = change.queue_url(&queue.url).receipt_handle("garbage");
    refused(
        change.visibility_timeout(5).send().await,
        "ReceiptHandleIsInvalid",
    )
}

pub async fn a_long_poll_ends_when_a_message_arrives(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let started = Instant::now();
    // The poll is under way first: its request is written before the other one starts.
    let (received, sent) = tokio::join!(queue.receive(), async {
        queue.receives_nothing_of_another(queues).await?;
        queue.send("body").await
    });
    ensure!(received?.message_id == Some(sent?));
    ensure!(started.elapsed() < Duration::from_secs(15));
    Ok(())
}

pub async fn a_long_poll_ends_when_a_message_is_visible_again(
    queues: &Queues,
) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let started = Instant::now();
    queue.receive_for(1).await?;
    queue.receive().await?;
    ensure!((1..15).contains(&started.elapsed().as_secs()));
    Ok(())
}

pub async fn an_empty_long_poll_waits_its_time(queues: &Queues) -> anyhow::Result<()> {
    let wait = (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "2");
    let queue = queues.create(&[wait]).await?;
    let poll = || queue.client.receive_message().queue_url(&queue.url);
    let started = Instant::now();
    ensure!(poll().send().await?.messages().is_empty());
    ensure!((2..15).contains(&started.elapsed().as_secs()));
    let started = Instant::now();
    ensure!(
        poll()
            .wait_time_seconds(0)
            .send()
            .await?
            .messages()
            .is_empty()
    );
    ensure!(started.elapsed() < Duration::from_secs(2));
    let polled = poll().wait_time_seconds(21).send().await;
    refused(polled, "InvalidParameterValue")
}

pub async fn a_receive_takes_at_most_ten_messages(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let mut sent = BTreeSet::new();
    for number in 0..12 {
        sent.insert(queue.send(&number.to_string()).await?);
    }
    let receive = |max| {
        let receive = queue.client.receive_message().queue_url(&queue.url);
        receive
            .max_number_of_messages(max)
            .wait_time_seconds(1)
            .send()
    };
    let mut received = BTreeSet::new();
    let patience = Patience::until("all twelve are received once");
    while received != sent {
        patience.check()?;
        let messages = receive(10).await?.messages.unwrap_or_default();
        ensure!(messages.len() <= 10);
        for message in messages {
            let id = message.message_id.context("a message has an id")?;
            ensure!(received.insert(id), "received twice");
        }
    }
    refused(receive(11).await, "InvalidParameterValue")
}

impl Queue {
    /// Waits until a message can be received, without receiving it.
    async fn await_visible(&self) -> anyhow::Result<()> {
        let patience = Patience::until("the message is visible again");
        while self.attributes().await?[&QueueAttributeName::ApproximateNumberOfMessages] != "1" {
            patience.check()?;
        }
        Ok(())
    }

    /// Spends a second polling another queue.
    async fn receives_nothing_of_another(&self, queues: &Queues) -> anyhow::Result<()> {
        queues.create(&[]).await?.receives_nothing().await
    }
}

async fn change(queue: &Queue, message: &Message, seconds: i32) -> anyhow::Result<()> {
    let change = queue.client.change_message_visibility();
    let change = change.queue_url(&queue.url).receipt_handle(handle(message));
    change.visibility_timeout(seconds).send().await?;
    Ok(())
}
