//! The calls with up to ten entries.

use super::error::SqsError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// One of the up to ten requests that a batch makes.
#[derive(Deserialize)]
pub struct Entry<T> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    pub content: T,
}

/// The result of each entry.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchResult<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successful: Vec<Success<T>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Success<T> {
    id: String,
    #[serde(flatten)]
    result: T,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// Rejects a batch as a whole if its ids are invalid or not distinct, or if it is empty or has too many entries. `operation`
/// is what each entry asks for: `SendMessage`.
pub fn check<T>(operation: &'static str, entries: &[Entry<T>]) -> Result<(), SqsError> {
    if entries.is_empty() {
        return Err(SqsError::EmptyBatchRequest(operation));
    }
    if entries.len() > 10 {
        return Err(SqsError::TooManyEntriesInBatchRequest(entries.len()));
    }
    let mut ids = HashSet::new();
    for Entry { id, .. } in entries {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=80).contains(&id.len()) || !id.chars().all(valid) {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !ids.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct(id.clone()));
        }
    }
    Ok(())
}

/// Processes each entry. A refused entry fails alone; only a broken store fails them all.
pub fn each<T, U>(
    entries: &[Entry<T>],
    mut act: impl FnMut(&T) -> Result<U, SqsError>,
) -> Result<BatchResult<U>, SqsError> {
    let mut result = BatchResult {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for Entry { id, content } in entries {
        let id = id.clone();
        match act(content) {
            Ok(value) => result.successful.push(Success { id, result: value }),
            Err(error) if error.is_sender_fault() => result.failed.push(Failure {
                id,
                sender_fault: true,
                code: error.code(),
                message: error.to_string(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(result)
}
