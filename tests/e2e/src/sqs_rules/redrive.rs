//! Rules of dead-letter queues and of redriving them.

use super::{Patience, Queue, Queues, attribute, handle, refused};
use anyhow::{Context, ensure};
use aws_sdk_sqs::types::{
    ListMessageMoveTasksResultEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};

pub async fn a_message_received_too_often_is_a_dead_letter(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "2").await?;
    let id = queue.send("body").await?;
    queue.receive_for(0).await?;
    queue.receive_for(0).await?;
    dead_letters.receives_nothing().await?;
    queue.receives_nothing().await?;
    let dead_letter = dead_letters.receive().await?;
    ensure!(dead_letter.body() == Some("body"));
    ensure!(dead_letter.message_id == Some(id));
    let source = MessageSystemAttributeName::DeadLetterQueueSourceArn;
    ensure!(attribute(&dead_letter, &source) == queue.arn().await?);
    Ok(())
}

pub async fn a_dead_letter_keeps_its_id_age_and_receives(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    queue.send("body").await?;
    let message = queue.receive_for(0).await?;
    queue.receives_nothing().await?;
    let dead_letter = dead_letters.receive().await?;
    ensure!(dead_letter.message_id == message.message_id);
    let sent = MessageSystemAttributeName::SentTimestamp;
    ensure!(attribute(&dead_letter, &sent) == attribute(&message, &sent));
    let receives = MessageSystemAttributeName::ApproximateReceiveCount;
    ensure!(attribute(&dead_letter, &receives).parse::<u32>()? >= 2);
    Ok(())
}

pub async fn dead_letters_do_not_block_their_neighbours(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    queue.send("poison").await?;
    queue.receive_for(0).await?;
    queue.send("good").await?;
    ensure!(queue.receive().await?.body() == Some("good"));
    ensure!(dead_letters.receive().await?.body() == Some("poison"));
    Ok(())
}

pub async fn a_move_task_returns_messages_to_their_source(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    let send = queue.client.send_message().queue_url(&queue.url);
    send.message_body("body")
        .message_group_id("client-1")
        .send()
        .await?;
    bury(&queue).await?;
    start(&dead_letters, None, None).await?;
    let message = queue.receive().await?;
    ensure!(message.body() == Some("body"));
    ensure!(attribute(&message, &MessageSystemAttributeName::MessageGroupId) == "client-1");
    let task = ended(&dead_letters).await?;
    ensure!(task.status() == Some("COMPLETED"), "{task:?}");
    ensure!(task.approximate_number_of_messages_moved() == 1);
    ensure!(task.source_arn == Some(dead_letters.arn().await?));
    ensure!(task.destination_arn.is_none() && task.task_handle.is_none());
    ensure!(task.started_timestamp() > 1_700_000_000_000);
    dead_letters.receives_nothing().await
}

pub async fn a_moved_message_counts_its_receives_anew(queues: &Queues) -> anyhow::Result<()> {
    let (_, moved) = moved_back(queues).await?;
    let receives = MessageSystemAttributeName::ApproximateReceiveCount;
    ensure!(attribute(&moved, &receives) == "1", "{moved:?}");
    Ok(())
}

pub async fn a_moved_message_is_a_new_message(queues: &Queues) -> anyhow::Result<()> {
    let (first, moved) = moved_back(queues).await?;
    ensure!(moved.message_id != first.message_id);
    let sent = MessageSystemAttributeName::SentTimestamp;
    ensure!(attribute(&moved, &sent) > attribute(&first, &sent));
    Ok(())
}

pub async fn a_move_task_can_have_another_destination(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    let other = queues.create(&[]).await?;
    queue.send("body").await?;
    bury(&queue).await?;
    let destination = other.arn().await?;
    start(&dead_letters, Some(&destination), None).await?;
    ensure!(other.receive().await?.body() == Some("body"));
    let task = ended(&dead_letters).await?;
    ensure!(task.status() == Some("COMPLETED"));
    ensure!(task.destination_arn == Some(destination));
    queue.receives_nothing().await
}

pub async fn a_move_task_can_be_cancelled(queues: &Queues) -> anyhow::Result<()> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    for number in 0..5 {
        queue.send(&number.to_string()).await?;
        bury(&queue).await?;
    }
    let handle = start(&dead_letters, None, Some(1)).await?;
    let second = dead_letters.client.start_message_move_task();
    let second = second.source_arn(dead_letters.arn().await?).send().await;
    refused(second, "InvalidParameterValue").context("one task at a time")?;
    let cancel = dead_letters.client.cancel_message_move_task();
    cancel.task_handle(handle).send().await?;
    let task = ended(&dead_letters).await?;
    ensure!(task.status() == Some("CANCELLED"), "{task:?}");
    ensure!(task.approximate_number_of_messages_moved() < 5);
    dead_letters.receive().await?;
    Ok(())
}

pub async fn only_a_dead_letter_queue_can_be_redriven(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let arn = queue.arn().await?;
    let started = |source: String| {
        let start = queue.client.start_message_move_task();
        start.source_arn(source).send()
    };
    refused(started(arn.clone()).await, "InvalidParameterValue")?;
    refused(
        started(format!("{arn}-missing")).await,
        "ResourceNotFoundException",
    )
}

/// A queue whose messages may be received this many times, and its dead-letter queue.
async fn with_dead_letters(queues: &Queues, receives: &str) -> anyhow::Result<(Queue, Queue)> {
    let dead_letters = queues.create(&[]).await?;
    let arn = dead_letters.arn().await?;
    let policy =
        format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":\"{receives}\"}}");
    let attributes = [(QueueAttributeName::RedrivePolicy, policy.as_str())];
    Ok((queues.create(&attributes).await?, dead_letters))
}

/// Moves the only message of a queue that allows one receive to the dead-letter queue.
async fn bury(queue: &Queue) -> anyhow::Result<Message> {
    let message = queue.receive_for(0).await?;
    queue.receives_nothing().await?;
    Ok(message)
}

/// Returns a message from before it was a dead letter, and from after it was moved back.
async fn moved_back(queues: &Queues) -> anyhow::Result<(Message, Message)> {
    let (queue, dead_letters) = with_dead_letters(queues, "1").await?;
    queue.send("body").await?;
    let first = bury(&queue).await?;
    start(&dead_letters, None, None).await?;
    let moved = queue.receive().await?;
    let delete = queue.client.delete_message().queue_url(&queue.url);
    delete.receipt_handle(handle(&moved)).send().await?;
    Ok((first, moved))
}

async fn start(
    dead_letters: &Queue,
    destination: Option<&str>,
    rate: Option<i32>,
) -> anyhow::Result<String> {
    let start = dead_letters.client.start_message_move_task();
    let started = start
        .source_arn(dead_letters.arn().await?)
        .set_destination_arn(destination.map(str::to_owned))
        .set_max_number_of_messages_per_second(rate)
        .send()
        .await?;
    started.task_handle.context("a task has a handle")
}

/// Returns the latest task once it no longer runs.
async fn ended(dead_letters: &Queue) -> anyhow::Result<ListMessageMoveTasksResultEntry> {
    let arn = dead_letters.arn().await?;
    let patience = Patience::until("the move task ends");
    loop {
        let list = dead_letters.client.list_message_move_tasks();
        let tasks = list.source_arn(&arn).send().await?.results;
        let latest = tasks.unwrap_or_default().into_iter().next();
        let latest = latest.context("the task is listed")?;
        if !matches!(latest.status(), Some("RUNNING" | "CANCELLING")) {
            return Ok(latest);
        }
        patience.check()?;
    }
}
