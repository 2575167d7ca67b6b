//! EventBridge's errors.

use thiserror::Error;

/// Why an operation was refused.
#[derive(Debug, Error)]
pub enum BusError {
    #[error("{0} does not exist.")]
    ResourceNotFound(String),
    #[error("{0} already exists.")]
    ResourceAlreadyExists(String),
    #[error("Event pattern is not valid. Reason: {0}")]
    InvalidEventPattern(String),
    #[error("{0}")]
    Validation(String),
    #[error("`local` has no operation {0}.")]
    UnknownOperation(String),
    #[error("The request could not be read: {0}")]
    Serialization(#[from] serde_json::Error),
}

impl BusError {
    /// A request that breaks a rule.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Validation(why.into())
    }

    /// The error's shape.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::ResourceAlreadyExists(_) => "ResourceAlreadyExistsException",
            Self::InvalidEventPattern(_) => "InvalidEventPatternException",
            Self::Validation(_) => "ValidationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
            Self::Serialization(_) => "SerializationException",
        }
    }
}
