//! SQS's JSON protocol.

use super::{Sqs, error::SqsError};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

impl Sqs {
    /// Answers a request of the AWS JSON 1.0 protocol. `operation` follows `AmazonSQS.` in `X-Amz-Target`.
    pub async fn handle(&self, operation: &str, body: Bytes) -> Response {
        match self.run(operation, &body).await {
            Ok(answer) => respond(StatusCode::OK, answer),
            Err(error) => error.into_response(),
        }
    }

    async fn run(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, SqsError> {
        match operation {
            "CancelMessageMoveTask" => write(&self.cancel_message_move_task(&read(body)?)?),
            "ChangeMessageVisibility" => write(&self.change_message_visibility(&read(body)?)?),
            "ChangeMessageVisibilityBatch" => {
                write(&self.change_message_visibility_batch(&read(body)?)?)
            }
            "CreateQueue" => write(&self.create_queue(&read(body)?)?),
            "DeleteMessage" => write(&self.delete_message(&read(body)?)?),
            "DeleteMessageBatch" => write(&self.delete_message_batch(&read(body)?)?),
            "DeleteQueue" => write(&self.delete_queue(&read(body)?)?),
            "GetQueueAttributes" => write(&self.get_queue_attributes(&read(body)?)?),
            "GetQueueUrl" => write(&self.get_queue_url(&read(body)?)?),
            "ListMessageMoveTasks" => write(&self.list_message_move_tasks(&read(body)?)?),
            "ListQueues" => write(&self.list_queues(&read(body)?)?),
            "PurgeQueue" => write(&self.purge_queue(&read(body)?)?),
            "ReceiveMessage" => write(&self.receive_message(read(body)?).await?),
            "SendMessage" => write(&self.send_message(&read(body)?)?),
            "SendMessageBatch" => write(&self.send_message_batch(&read(body)?)?),
            "SetQueueAttributes" => write(&self.set_queue_attributes(&read(body)?)?),
            "StartMessageMoveTask" => write(&self.start_message_move_task(read(body)?)?),
            unknown => Err(SqsError::UnsupportedOperation(unknown.to_owned())),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    Ok(serde_json::from_slice(body)?)
}

fn write(answer: &impl Serialize) -> Result<Vec<u8>, SqsError> {
    Ok(serde_json::to_vec(answer)?)
}

/// Makes an answer with the headers that every answer has.
pub fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    if let Ok(id) = Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
