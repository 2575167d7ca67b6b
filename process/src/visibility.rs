//! Changes the visibility timeout of messages that stay on the queue.

use crate::retries;
use aws_sdk_sqs::{
    Client, error::ProvideErrorMetadata, types::ChangeMessageVisibilityBatchRequestEntry as Entry,
};
use futures_util::future::join_all;
use std::time::Duration;

/// Changes when messages of one queue become visible again.
#[derive(Debug)]
pub struct MessageVisibility {
    sqs: Client,
    url: String,
}

impl MessageVisibility {
    /// Uses the queue at `url`.
    pub fn new(sqs: &Client, url: String) -> Self {
        let config = sqs.config().to_builder();
        let config = config.retry_config(retries::visibility());
        let sqs = Client::from_conf(config.build());
        Self { sqs, url }
    }

    /// Makes messages, identified by their receipt handles, visible again after the given times. If that fails, the queue's
    /// own visibility timeout stays: the message comes back later, and nothing is lost.
    pub async fn change(&self, messages: &[(String, Duration)]) {
        // A request takes at most ten entries.
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
                Err(error) => {
                    return tracing::warn!(%error, "could not change the visibility of messages");
                }
            };
            let change = self
                .sqs
                .change_message_visibility_batch()
                .queue_url(&self.url);
            match change.set_entries(Some(entries)).send().await {
                Ok(changed) if changed.failed().is_empty() => {}
                Ok(changed) => {
                    tracing::warn!(
                        failed = changed.failed().len(),
                        "could not change the visibility of messages"
                    );
                }
                Err(error) => {
                    tracing::warn!(
                        error = error.code().unwrap_or("no answer"),
                        "could not change the visibility of messages"
                    );
                }
            }
        }))
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_request_has_at_most_ten_entries_and_every_message_is_in_one() {
        let sizes = Arc::<Mutex<Vec<_>>>::default();
        let seen = sizes.clone();
        let config = faked::aws(move |_, body| {
            let size = body["Entries"].as_array().map_or(0, Vec::len);
            seen.lock().expect("no panic in here").push(size);
            None
        });
        let visibility = MessageVisibility::new(&Client::new(&config), "http://sqs/orders".into());
        let message = |n: u64| (format!("handle-{n}"), Duration::from_secs(n));
        let messages: Vec<_> = (0..21).map(message).collect();
        visibility.change(&messages).await;
        let mut sizes = sizes.lock().expect("no panic in here").clone();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 10, 10]);
    }
}
