//! The dead-letter queue.

use super::Aws;
use anyhow::Result;
use aws_sdk_sqs::types::Message;

impl Aws {
    /// Receives a message from the dead-letter queue that contains `part`, if there is one now.
    pub async fn dead_letter(&self, part: &str) -> Result<Option<Message>> {
        let receive = self
            .sqs
            .receive_message()
            .queue_url(&self.names.dead_letter_queue);
        let received = receive
            .max_number_of_messages(10)
            .visibility_timeout(1)
            .send()
            .await?;
        let mut messages = received.messages.unwrap_or_default().into_iter();
        Ok(messages.find(|message| {
            message
                .body
                .as_ref()
                .is_some_and(|body| body.contains(part))
        }))
    }

    /// Returns every message on the dead-letter queue, and leaves it there.
    pub async fn dead_letters(&self) -> Result<Vec<Message>> {
        let queue = &self.names.dead_letter_queue;
        let mut letters = Vec::new();
        loop {
            let receive = self.sqs.receive_message().queue_url(queue);
            let receive = receive.max_number_of_messages(10).visibility_timeout(60);
            match receive.send().await?.messages {
                Some(messages) if !messages.is_empty() => letters.extend(messages),
                _ => break,
            }
        }
        for letter in &letters {
            let change = self.sqs.change_message_visibility().queue_url(queue);
            let change = change.set_receipt_handle(letter.receipt_handle.clone());
            change.visibility_timeout(0).send().await?;
        }
        Ok(letters)
    }

    /// Starts to move the dead letters back to their queue.
    pub async fn redrive(&self) -> Result<()> {
        let arn = self.queue_arn(&self.names.dead_letter_queue).await?;
        let redrive = self.sqs.start_message_move_task().source_arn(arn);
        redrive.send().await?;
        Ok(())
    }

    /// Deletes a message from the dead-letter queue.
    pub async fn forget(&self, message: &Message) -> Result<()> {
        let delete = self
            .sqs
            .delete_message()
            .queue_url(&self.names.dead_letter_queue);
        delete
            .set_receipt_handle(message.receipt_handle.clone())
            .send()
            .await?;
        Ok(())
    }
}
