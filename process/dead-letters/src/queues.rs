//! The dead-letter queue, and the queue that a redrive sends to.

use crate::{
    batch::{Answers, Refused, twice},
    letter::Letter,
};
use anyhow::{Context, Result};
use aws_sdk_sqs::{
    Client as Sqs,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        MessageSystemAttributeName, MessageSystemAttributeNameForSends,
        MessageSystemAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use std::time::Duration;

/// What is received is hidden from other readers for at least this long, unless it is given back before.
pub const VISIBILITY: Duration = Duration::from_mins(15);
/// How long a receive waits for a message. Without waiting, it would query only some of SQS's servers.
const WAIT_SECONDS: i32 = 1;
/// Maximum bytes of a call's messages.
const CALL_BYTES: usize = 1024 * 1024;

/// Both queues.
#[derive(Debug)]
pub struct Queues {
    sqs: Sqs,
    dead_letters: String,
    orders: String,
}

/// SQS's counts for the dead-letter queue, and how long it keeps a message.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Messages that can be received.
    pub visible: usize,
    /// Messages that another reader has received and not given back.
    pub in_flight: usize,
    /// How long a message is kept after it was first sent.
    pub retention: Duration,
}

impl Queues {
    /// Uses the queues with these URLs.
    pub fn new(sqs: Sqs, dead_letters: String, orders: String) -> Self {
        Self {
            sqs,
            dead_letters,
            orders,
        }
    }

    /// Returns SQS's approximate counts.
    pub async fn count(&self) -> Result<Counts> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::MessageRetentionPeriod,
        ];
        let get = self
            .sqs
            .get_queue_attributes()
            .queue_url(&self.dead_letters);
        let got = get.set_attribute_names(Some(names.to_vec())).send().await;
        let got = got.with_context(|| self.unreadable())?;
        let number = |name| {
            let value = got.attributes()?.get(&name)?;
            value.parse::<u64>().ok()
        };
        let [visible, in_flight, retention] = names.map(|name| number(name).unwrap_or_default());
        Ok(Counts {
            visible: usize::try_from(visible)?,
            in_flight: usize::try_from(in_flight)?,
            retention: Duration::from_secs(retention),
        })
    }

    /// Receives up to ten dead letters, and hides them from other readers for this long.
    pub async fn receive(&self, hidden_for: Duration) -> Result<Vec<Letter>> {
        let receive = self.sqs.receive_message().queue_url(&self.dead_letters);
        let received = receive
            .max_number_of_messages(10)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(i32::try_from(hidden_for.as_secs())?)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        let messages = received.with_context(|| self.unreadable())?.messages;
        Ok(messages
            .into_iter()
            .flatten()
            .filter_map(Letter::read)
            .collect())
    }

    /// Sends letters to the queue of orders with body, the client's message group and trace unchanged. Returns each one's new
    /// message id.
    pub async fn send(&self, letters: &[&Letter]) -> Result<Vec<Result<String, Refused>>> {
        let bytes: usize = letters.iter().map(|letter| letter.bytes()).sum();
        // This is rare: ten orders of the largest size that the API allows don't fit into one call.
        let entries = if bytes > CALL_BYTES {
            1
        } else {
            letters.len().max(1)
        };
        let mut answers = Vec::new();
        for letters in letters.chunks(entries) {
            match twice(letters, async |letters| self.send_once(letters).await).await {
                Ok(answered) => answers.extend(answered),
                Err(error) if answers.is_empty() => return Err(error),
                // Results of earlier calls count.
                Err(error) => answers.extend(letters.iter().map(|_| Err(format!("{error:#}")))),
            }
        }
        Ok(answers)
    }

    async fn send_once(&self, letters: &[&Letter]) -> Result<Answers<String>> {
        let mut send = self.sqs.send_message_batch().queue_url(&self.orders);
        for (n, letter) in letters.iter().enumerate() {
            let trace = letter.attribute(&MessageSystemAttributeName::AwsTraceHeader);
            let trace = trace.map(|trace| {
                let value = MessageSystemAttributeValue::builder().data_type("String");
                let value = value.string_value(trace).build()?;
                let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
                anyhow::Ok([(name, value)].into())
            });
            let entry = SendMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .message_body(letter.body())
                .set_message_group_id(letter.message_group())
                .set_message_attributes(letter.message_attributes().cloned())
                .set_message_system_attributes(trace.transpose()?);
            send = send.entries(entry.build()?);
        }
        let answer = send.send().await;
        let answer = answer.with_context(|| format!("could not send to {}", self.orders))?;
        let done = answer.successful().iter();
        let done = done.map(|entry| (entry.id(), entry.message_id().to_owned()));
        Ok(Answers::new(letters.len(), done, answer.failed()))
    }

    /// Deletes dead letters.
    pub async fn delete(&self, letters: &[&Letter]) -> Result<Vec<Result<(), Refused>>> {
        twice(letters, async |letters| {
            let mut delete = self
                .sqs
                .delete_message_batch()
                .queue_url(&self.dead_letters);
            for (n, letter) in letters.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
                delete = delete.entries(entry.receipt_handle(letter.receipt_handle()).build()?);
            }
            let deleted = delete.send().await;
            let deleted =
                deleted.with_context(|| format!("could not delete from {}", self.dead_letters))?;
            let done = deleted.successful().iter().map(|entry| (entry.id(), ()));
            Ok(Answers::new(letters.len(), done, deleted.failed()))
        })
        .await
    }

    /// Makes up to ten dead letters, given by their receipt handles, visible to other readers again.
    pub async fn give_back(&self, handles: &[&String]) -> Result<Vec<Result<(), Refused>>> {
        twice(handles, async |handles| {
            let change = self.sqs.change_message_visibility_batch();
            let mut change = change.queue_url(&self.dead_letters);
            for (n, handle) in handles.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string());
                let entry = entry.receipt_handle(*handle).visibility_timeout(0);
                change = change.entries(entry.build()?);
            }
            let changed = change.send().await?;
            let done = changed.successful().iter().map(|entry| (entry.id(), ()));
            Ok(Answers::new(handles.len(), done, changed.failed()))
        })
        .await
    }

    fn unreadable(&self) -> String {
        format!("the dead-letter queue {} can't be read", self.dead_letters)
    }
}
