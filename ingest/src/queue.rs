//! The queue, as `ingest` uses it: the only thing it writes to.

use aws_sdk_sqs::{
    Client as Sqs,
    types::{MessageSystemAttributeNameForSends::AwsTraceHeader, MessageSystemAttributeValue},
};
use events::{OrderPlaced, text::bounded};

/// The queue of accepted orders.
#[derive(Debug)]
pub struct OrderQueue {
    sqs: Sqs,
    url: String,
}

/// SQS refused the order, or didn't say that it has it. It may have it all the same.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotQueued(String);

impl OrderQueue {
    /// The queue at `url`.
    pub fn new(sqs: Sqs, url: String) -> OrderQueue {
        OrderQueue { sqs, url }
    }

    /// Puts an order on the queue. Returns only when SQS has stored it.
    pub async fn send(&self, placed: &OrderPlaced, trace: Option<&str>) -> Result<(), NotQueued> {
        let mut send = self
            .sqs
            .send_message()
            .queue_url(&self.url)
            .message_body(placed.to_json())
            .message_group_id(placed.client.message_group());
        // SQS takes no empty attribute, and a trace is not worth an order.
        if let Some(trace) = trace.filter(|trace| !trace.is_empty()) {
            let value = MessageSystemAttributeValue::builder()
                .data_type("String")
                .string_value(trace);
            let value = value
                .build()
                .map_err(|error| NotQueued(error.to_string()))?;
            send = send.message_system_attributes(AwsTraceHeader, value);
        }
        match send.send().await {
            Ok(_) => Ok(()),
            // With its causes, but not its `Debug`, which has the whole answer in it.
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                Err(NotQueued(bounded(&error)))
            }
        }
    }
}
