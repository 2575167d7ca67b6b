//! Watches the functions' calls.

use crate::stack::Stack;
use anyhow::Result;
use local::faults::Rule;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::time::Instant;

/// An observed call.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The time of the call.
    pub at: Instant,
    /// The function's logical id, or else the access key.
    pub caller: String,
    /// `SendMessage`, `TransactWriteItems`, …
    pub operation: String,
    /// The request.
    pub request: Value,
}

/// Calls that contain some text, kept while this value lives.
pub struct Recording<'a> {
    seen: Arc<Mutex<Vec<Seen>>>,
    _rule: Rule<'a>,
}

impl Recording<'_> {
    /// The calls of an operation so far, oldest first.
    pub fn of(&self, operation: &str) -> Vec<Seen> {
        let mut seen = self.by("");
        seen.retain(|seen| seen.operation == operation);
        seen
    }

    /// Returns a caller's calls so far, oldest first; every caller's if `caller` is empty.
    pub fn by(&self, caller: &str) -> Vec<Seen> {
        let mut seen = self.seen.lock().expect("no panic in here").clone();
        seen.retain(|seen| caller.is_empty() || seen.caller == caller);
        seen
    }
}

impl Stack {
    /// Keeps the calls that contain one of `parts`.
    pub fn record(&self, parts: &[&str]) -> Result<Recording<'_>> {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let log = seen.clone();
        let parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let rule = self.fault(move |call| {
            if parts.iter().any(|part| call.contains(part)) {
                log.lock().expect("no panic in here").push(Seen {
                    at: Instant::now(),
                    caller: call.caller.to_owned(),
                    operation: call.operation.to_owned(),
                    request: serde_json::from_slice(call.body).unwrap_or_default(),
                });
            }
            None
        })?;
        Ok(Recording { seen, _rule: rule })
    }
}

/// Counts the calls of an operation that contain some text, while this value lives.
pub struct Watch<'a> {
    recording: Recording<'a>,
    operation: &'static str,
}

impl Watch<'_> {
    /// Returns the number of calls. A request that the SDK repeats because an answer was late has the same token, and counts
    /// once.
    pub fn count(&self) -> usize {
        let calls = self.recording.of(self.operation);
        let token = |call: &Seen| call.request["ClientRequestToken"].to_string();
        calls.iter().map(token).collect::<BTreeSet<_>>().len()
    }
}

impl Stack {
    /// Counts the calls of an operation that have a client request token and contain `part`.
    pub fn watch(&self, operation: &'static str, part: &str) -> Result<Watch<'_>> {
        let recording = self.record(&[part])?;
        Ok(Watch {
            recording,
            operation,
        })
    }
}
