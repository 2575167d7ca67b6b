//! When a failed record comes back.

use aws_sdk_sqs::{
    Client, error::ProvideErrorMetadata, types::ChangeMessageVisibilityBatchRequestEntry as Entry,
};
use futures_util::future::join_all;
use std::time::Duration;

/// The queue that the records come from, as far as their visibility goes.
#[derive(Debug)]
pub struct RetryQueue {
    sqs: Client,
    url: String,
}

impl RetryQueue {
    /// The queue at `url`.
    pub fn new(sqs: Client, url: String) -> RetryQueue {
        RetryQueue { sqs, url }
    }

    /// Makes messages, by their receipt handles, visible again after so long. Where it fails, the queue's own
    /// visibility timeout stays: the message comes back later, and nothing is lost.
    pub async fn put_off(&self, messages: &[(String, Duration)]) {
        // A request has at most ten entries.
        join_all(messages.chunks(10).map(|messages| async {
            let entries = messages
                .iter()
                .enumerate()
                .map(|(n, (receipt_handle, delay))| {
                    let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
                    Entry::builder()
                        .id(n.to_string())
                        .receipt_handle(receipt_handle)
                        .visibility_timeout(seconds)
                        .build()
                });
            let entries = match entries.collect::<Result<Vec<_>, _>>() {
                Ok(entries) => entries,
                Err(error) => return tracing::warn!(%error, "visibility not changed"),
            };
            let change = self
                .sqs
                .change_message_visibility_batch()
                .queue_url(&self.url);
            match change.set_entries(Some(entries)).send().await {
                Ok(changed) if changed.failed().is_empty() => {}
                Ok(changed) => {
                    tracing::warn!(failed = changed.failed().len(), "visibility not changed");
                }
                Err(error) => {
                    tracing::warn!(
                        error = error.code().unwrap_or("no answer"),
                        "visibility not changed"
                    );
                }
            }
        }))
        .await;
    }
}
