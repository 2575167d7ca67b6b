//! Rules of batch calls.

use super::{Patience, Queue, Queues, handle, refused};
use anyhow::ensure;
use aws_sdk_sqs::{
    error::SdkError,
    operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput},
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        SendMessageBatchRequestEntry,
    },
};
use std::collections::BTreeSet;

pub async fn a_batch_of_ten_is_sent_received_and_deleted(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let ids: Vec<_> = (0..10).map(|number| format!("id_{number}-")).collect();
    let entries = ids.iter().map(|id| (id.as_str(), id.as_str()));
    let sent = send(&queue, &entries.collect::<Vec<_>>()).await?;
    ensure!(sent.failed().is_empty());
    ensure!(sent.successful().iter().map(|success| &success.id).eq(&ids));
    let mut bodies = BTreeSet::new();
    let patience = Patience::until("all ten are received and deleted");
    while bodies.len() < 10 {
        patience.check()?;
        let receive = queue.client.receive_message().queue_url(&queue.url);
        let receive = receive.max_number_of_messages(10).wait_time_seconds(1);
        let mut delete = queue.client.delete_message_batch().queue_url(&queue.url);
        let messages = receive.send().await?.messages.unwrap_or_default();
        if messages.is_empty() {
            continue;
        }
        for (number, message) in messages.iter().enumerate() {
            bodies.extend(message.body.clone());
            delete = delete.entries(deletion(&number.to_string(), handle(message))?);
        }
        let deleted = delete.send().await?;
        ensure!(deleted.failed().is_empty() && deleted.successful().len() == messages.len());
    }
    ensure!(bodies.iter().eq(&ids));
    queue.receives_nothing().await
}

pub async fn an_entry_fails_alone(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let sent = send(&queue, &[("good", "body"), ("bad", "\u{1}")]).await?;
    ensure!(sent.successful().len() == 1 && sent.successful()[0].id == "good");
    ensure!(sent.failed().len() == 1 && sent.failed()[0].id == "bad");
    ensure!(sent.failed()[0].code == "InvalidMessageContents");
    let message = queue.receive().await?;
    let delete = queue.client.delete_message_batch().queue_url(&queue.url);
    let deleted = delete
        .entries(deletion("bad", "garbage")?)
        .entries(deletion("good", handle(&message))?)
        .send()
        .await?;
    ensure!(deleted.successful().len() == 1 && deleted.successful()[0].id == "good");
    ensure!(deleted.failed().len() == 1 && deleted.failed()[0].id == "bad");
    ensure!(deleted.failed()[0].code == "ReceiptHandleIsInvalid");
    Ok(())
}

pub async fn a_refused_entry_is_its_senders_fault(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let sent = send(&queue, &[("bad", "\u{1}")]).await?;
    ensure!(sent.failed().len() == 1 && sent.failed()[0].sender_fault);
    Ok(())
}

pub async fn a_batch_needs_one_to_ten_entries(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let empty = "AWS.SimpleQueueService.EmptyBatchRequest";
    refused(send(&queue, &[]).await, empty)?;
    let delete = || queue.client.delete_message_batch().queue_url(&queue.url);
    refused(delete().set_entries(Some(vec![])).send().await, empty)?;
    let too_many = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
    let ids: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    let entries: Vec<_> = ids.iter().map(|id| (id.as_str(), "body")).collect();
    refused(send(&queue, &entries).await, too_many)?;
    let deletions = ids.iter().map(|id| deletion(id, "garbage"));
    let deletions = deletions.collect::<Result<_, _>>()?;
    refused(delete().set_entries(Some(deletions)).send().await, too_many)
}

pub async fn entries_of_a_batch_have_distinct_valid_ids(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let same = send(&queue, &[("same", "one"), ("same", "two")]).await;
    refused(same, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")?;
    let longest = "i".repeat(80);
    send(&queue, &[(&longest, "body")]).await?;
    let too_long = "i".repeat(81);
    for id in ["a b", "a.b", &too_long] {
        let sent = send(&queue, &[(id, "body")]).await;
        refused(sent, "AWS.SimpleQueueService.InvalidBatchEntryId")?;
    }
    Ok(())
}

pub async fn a_batch_has_at_most_a_mebibyte(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let half = "x".repeat(524_288);
    send(&queue, &[("1", &half), ("2", &half)]).await?;
    let sent = send(&queue, &[("1", &half), ("2", &half), ("3", "x")]).await;
    refused(sent, "AWS.SimpleQueueService.BatchRequestTooLong")
}

pub async fn visibility_changes_in_a_batch(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let message = queue.receive().await?;
    let entry = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        entry.receipt_handle(handle).visibility_timeout(0).build()
    };
    let change = queue.client.change_message_visibility_batch();
    let changed = change
        .queue_url(&queue.url)
        .entries(entry("good", handle(&message))?)
        .entries(entry("bad", "garbage")?)
        .send()
        .await?;
    ensure!(changed.successful().len() == 1 && changed.successful()[0].id == "good");
    ensure!(changed.failed().len() == 1 && changed.failed()[0].id == "bad");
    ensure!(changed.failed()[0].code == "ReceiptHandleIsInvalid");
    queue.receive().await?;
    Ok(())
}

async fn send(
    queue: &Queue,
    entries: &[(&str, &str)],
) -> Result<SendMessageBatchOutput, SdkError<SendMessageBatchError>> {
    let entries = entries.iter().map(|(id, body)| {
        let entry = SendMessageBatchRequestEntry::builder().id(*id);
        entry.message_body(*body).build()
    });
    let entries = entries.collect::<Result<_, _>>();
    let send = queue.client.send_message_batch().queue_url(&queue.url);
    send.set_entries(Some(entries.map_err(SdkError::construction_failure)?))
        .send()
        .await
}

fn deletion(id: &str, handle: &str) -> anyhow::Result<DeleteMessageBatchRequestEntry> {
    let entry = DeleteMessageBatchRequestEntry::builder().id(id);
    Ok(entry.receipt_handle(handle).build()?)
}
