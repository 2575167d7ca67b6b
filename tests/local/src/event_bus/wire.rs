//! EventBridge's JSON protocol.

use super::{EventBuses, error::BusError};
use crate::aws_json::{V1_1, respond};
use axum::{http::StatusCode, response::Response};
use bytes::Bytes;
use serde_json::{Value, json};

impl EventBuses {
    /// Answers a request of the AWS JSON 1.1 protocol. `operation` follows `AWSEvents.` in `X-Amz-Target`.
    pub fn handle(&self, operation: &str, body: &Bytes) -> Response {
        let (status, answer) = match self.run(operation, body) {
            Ok(answer) => (StatusCode::OK, answer),
            Err(error) => {
                let body = json!({"__type": error.code(), "message": error.to_string()});
                (StatusCode::BAD_REQUEST, body)
            }
        };
        respond(V1_1, status, answer.to_string().into_bytes())
    }

    fn run(&self, operation: &str, body: &[u8]) -> Result<Value, BusError> {
        match operation {
            "CreateEventBus" => self.create_event_bus(serde_json::from_slice(body)?),
            "DeleteEventBus" => self.delete_event_bus(&serde_json::from_slice(body)?),
            "DeleteRule" => self.delete_rule(&serde_json::from_slice(body)?),
            "DescribeEventBus" => self.describe_event_bus(&serde_json::from_slice(body)?),
            "PutEvents" => self.put_events(serde_json::from_slice(body)?),
            "PutRule" => self.put_rule(serde_json::from_slice(body)?),
            "PutTargets" => self.put_targets(serde_json::from_slice(body)?),
            "RemoveTargets" => self.remove_targets(&serde_json::from_slice(body)?),
            unknown => Err(BusError::UnknownOperation(unknown.to_owned())),
        }
    }
}
