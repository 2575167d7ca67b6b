//! The queue, the only thing that `ingest` writes to. `batch` sends many orders; `pack` distributes them over calls.

mod batch;
mod pack;

use crate::retries;
use aws_sdk_sqs::{
    Client as Sqs,
    error::SdkError,
    types::{MessageSystemAttributeNameForSends::AwsTraceHeader, MessageSystemAttributeValue},
};
use events::OrderPlaced;
use function::sdk_error;
use std::error::Error;

/// The queue of accepted orders.
#[derive(Debug)]
pub struct OrderQueue {
    sqs: Sqs,
    url: String,
}

/// SQS refused the order or didn't confirm it. The order may still be queued.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct NotQueued(String);

impl OrderQueue {
    /// Sends to the queue at `url`.
    pub fn new(sqs: &Sqs, url: String) -> Self {
        let config = sqs.config().to_builder().retry_config(retries::sends());
        let sqs = Sqs::from_conf(config.build());
        Self { sqs, url }
    }

    /// Puts an order on the queue. Returns only once SQS has stored it.
    pub async fn send(&self, placed: &OrderPlaced, trace: Option<&str>) -> Result<(), NotQueued> {
        let mut send = self
            .sqs
            .send_message()
            .queue_url(&self.url)
            .message_body(placed.to_json())
            .message_group_id(placed.client().message_group());
        if let Some(trace) = trace_header(trace) {
            send = send.message_system_attributes(AwsTraceHeader, trace);
        }
        let answer = send.send().await.map_err(NotQueued::from)?;
        // A proxy that answers in SQS's place may send an empty 200.
        let has_id = answer.message_id().is_some_and(|id| !id.is_empty());
        let no_id = || NotQueued("the response has no message id".to_owned());
        has_id.then_some(()).ok_or_else(no_id)
    }
}

/// Returns the message attribute with the X-Ray header; None if the header is empty, since SQS refuses empty attributes. A
/// trace is not worth an order.
fn trace_header(trace: Option<&str>) -> Option<MessageSystemAttributeValue> {
    let trace = trace.filter(|trace| !trace.is_empty())?;
    let value = MessageSystemAttributeValue::builder().data_type("String");
    value.string_value(trace).build().ok()
}

impl<E, R> From<SdkError<E, R>> for NotQueued
where
    SdkError<E, R>: Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self(sdk_error::text(&error))
    }
}
