//! SQS's errors.

use crate::{
    aws_json::{V1_0, respond},
    terminal::note,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::fmt::Display;
use thiserror::Error;

/// Why an operation was refused.
#[derive(Debug, Error)]
pub enum SqsError {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(String),
    #[error("Value {value} for parameter {parameter} is invalid. Reason: {reason}")]
    InvalidParameterValue {
        parameter: &'static str,
        value: String,
        reason: String,
    },
    #[error("{0}")]
    InvalidParameter(String),
    #[error("One or more parameters are invalid. Reason: Message must be shorter than {0} bytes.")]
    MessageTooLong(usize),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error(
        "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    #[error("Too many messages are in flight.")]
    OverLimit,
    #[error("There should be at least one {0}BatchRequestEntry in the request.")]
    EmptyBatchRequest(&'static str),
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.")]
    BatchRequestTooLong { limit: usize, sent: usize },
    #[error("{0}")]
    ResourceNotFound(&'static str),
    #[error("`local` has no operation {0}.")]
    UnsupportedOperation(String),
    #[error("The request could not be read: {0}")]
    Serialization(#[from] serde_json::Error),
    #[error("The store of the queues failed: {0}")]
    Store(#[from] rusqlite::Error),
}

impl SqsError {
    /// A parameter value that breaks a rule.
    pub fn invalid(
        parameter: &'static str,
        value: impl Display,
        reason: impl Into<String>,
    ) -> Self {
        Self::InvalidParameterValue {
            parameter,
            value: value.to_string(),
            reason: reason.into(),
        }
    }

    /// The code of the older query protocol, which SDKs show: the header `x-amzn-query-error` carries it.
    pub fn code(&self) -> &'static str {
        self.codes().1
    }

    /// Whether the sender is at fault.
    pub fn is_sender_fault(&self) -> bool {
        !matches!(self, Self::Store(_))
    }

    /// The error's shape in the JSON protocol, and its code in the query protocol.
    fn codes(&self) -> (&'static str, &'static str) {
        macro_rules! sqs {
            ($shape:literal) => {
                (concat!("com.amazonaws.sqs#", $shape), $shape)
            };
            ($shape:literal, $code:literal) => {
                (
                    concat!("com.amazonaws.sqs#", $shape),
                    concat!("AWS.SimpleQueueService.", $code),
                )
            };
        }
        match self {
            Self::QueueDoesNotExist => sqs!("QueueDoesNotExist", "NonExistentQueue"),
            Self::QueueNameExists(_) => ("com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists"),
            Self::InvalidAttributeName(_) => sqs!("InvalidAttributeName"),
            Self::InvalidAttributeValue(_) => sqs!("InvalidAttributeValue"),
            Self::InvalidParameterValue { .. }
            | Self::InvalidParameter(_)
            | Self::MessageTooLong(_) => (
                "com.amazon.coral.service#InvalidParameterValueException",
                "InvalidParameterValue",
            ),
            Self::MissingParameter(_) => (
                "com.amazon.coral.service#MissingRequiredParameterException",
                "MissingParameter",
            ),
            Self::InvalidMessageContents => sqs!("InvalidMessageContents"),
            Self::ReceiptHandleIsInvalid(_) => sqs!("ReceiptHandleIsInvalid"),
            Self::OverLimit => sqs!("OverLimit"),
            Self::EmptyBatchRequest(_) => sqs!("EmptyBatchRequest", "EmptyBatchRequest"),
            Self::TooManyEntriesInBatchRequest(_) => {
                sqs!(
                    "TooManyEntriesInBatchRequest",
                    "TooManyEntriesInBatchRequest"
                )
            }
            Self::BatchEntryIdsNotDistinct(_) => {
                sqs!("BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct")
            }
            Self::InvalidBatchEntryId => sqs!("InvalidBatchEntryId", "InvalidBatchEntryId"),
            Self::BatchRequestTooLong { .. } => sqs!("BatchRequestTooLong", "BatchRequestTooLong"),
            Self::ResourceNotFound(_) => sqs!("ResourceNotFoundException"),
            Self::UnsupportedOperation(_) => sqs!("UnsupportedOperation", "UnsupportedOperation"),
            Self::Serialization(_) => (
                "com.amazon.coral.service#SerializationException",
                "MalformedInput",
            ),
            Self::Store(_) => (
                "com.amazon.coral.service#InternalFailure",
                "InternalFailure",
            ),
        }
    }
}

impl IntoResponse for SqsError {
    fn into_response(self) -> Response {
        let (shape, code) = self.codes();
        let (status, fault) = match self {
            Self::ResourceNotFound(_) => (StatusCode::NOT_FOUND, "Sender"),
            Self::OverLimit => (StatusCode::FORBIDDEN, "Sender"),
            Self::Store(_) => {
                note(&format!("sqs: {self}"));
                (StatusCode::INTERNAL_SERVER_ERROR, "Receiver")
            }
            _ => (StatusCode::BAD_REQUEST, "Sender"),
        };
        let body = serde_json::json!({"__type": shape, "message": self.to_string()}).to_string();
        let mut response = respond(V1_0, status, body.into_bytes());
        if let Ok(value) = format!("{code};{fault}").parse() {
            response.headers_mut().insert("x-amzn-query-error", value);
        }
        response
    }
}
