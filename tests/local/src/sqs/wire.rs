//! SQS's JSON protocol.

use super::{Sqs, error::SqsError};
use crate::aws_json::{V1_0, respond};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// What a request carries in addition to its body.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The base of queue URLs as the caller knows it, from its `Host`: `http://host.docker.internal:3001`. `None`: the
    /// endpoint of [`Sqs::open`].
    pub endpoint: Option<String>,
    /// `X-Amzn-Trace-Id`: the trace of a message that is sent without `AWSTraceHeader`.
    pub trace: Option<String>,
}

impl Sqs {
    /// Answers a request of the AWS JSON 1.0 protocol. `operation` follows `AmazonSQS.` in `X-Amz-Target`.
    pub async fn handle(&self, head: &Head, operation: &str, body: Bytes) -> Response {
        match self.run(head, operation, &body).await {
            Ok(answer) => respond(V1_0, StatusCode::OK, answer),
            Err(error) => error.into_response(),
        }
    }

    async fn run(&self, head: &Head, operation: &str, body: &[u8]) -> Result<Vec<u8>, SqsError> {
        match operation {
            "CancelMessageMoveTask" => write(&self.cancel_message_move_task(&read(body)?)?),
            "ChangeMessageVisibility" => write(&self.change_message_visibility(&read(body)?)?),
            "ChangeMessageVisibilityBatch" => {
                write(&self.change_message_visibility_batch(&read(body)?)?)
            }
            "CreateQueue" => write(&self.create_queue(head, &read(body)?)?),
            "DeleteMessage" => write(&self.delete_message(&read(body)?)?),
            "DeleteMessageBatch" => write(&self.delete_message_batch(&read(body)?)?),
            "DeleteQueue" => write(&self.delete_queue(&read(body)?)?),
            "GetQueueAttributes" => write(&self.get_queue_attributes(&read(body)?)?),
            "GetQueueUrl" => write(&self.get_queue_url(head, &read(body)?)?),
            "ListDeadLetterSourceQueues" => {
                write(&self.list_dead_letter_source_queues(head, &read(body)?)?)
            }
            "ListMessageMoveTasks" => write(&self.list_message_move_tasks(&read(body)?)?),
            "ListQueues" => write(&self.list_queues(head, &read(body)?)?),
            "PurgeQueue" => write(&self.purge_queue(&read(body)?)?),
            "ReceiveMessage" => write(&self.receive_message(read(body)?).await?),
            "SendMessage" => write(&self.send_message(head, &read(body)?)?),
            "SendMessageBatch" => write(&self.send_message_batch(head, &read(body)?)?),
            "SetQueueAttributes" => write(&self.set_queue_attributes(&read(body)?)?),
            "StartMessageMoveTask" => write(&self.start_message_move_task(read(body)?)?),
            unknown => Err(SqsError::UnsupportedOperation(unknown.to_owned())),
        }
    }
}

/// Treats a member that is null as absent, as AWS does.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    Ok(serde_json::from_slice(body)?)
}

fn write(answer: &impl Serialize) -> Result<Vec<u8>, SqsError> {
    Ok(serde_json::to_vec(answer)?)
}
