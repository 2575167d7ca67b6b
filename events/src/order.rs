//! The order: what a client may send, what it claims, and what becomes of it.
//!
//! The folder is what an adopter edits for another kind of order. The rest of the product knows an order only by this module:
//! it is read, it claims amounts of keys, it has a summary, and it gets an outcome.

mod claims;
mod document;
#[cfg(feature = "kit")]
pub mod kit;
mod outcome;
mod reason;
mod summary;

pub use document::*;
pub use outcome::Outcome;
pub use reason::Reason;
pub use summary::{Excerpt, Summary};

use crate::{
    json::{self, NotJson},
    violation::{Pointer, Violation, Violations},
};
use serde_json::value::RawValue;

/// Largest body of an order, in bytes.
pub const MAX_ORDER_BYTES: usize = 128 * 1024;

/// The reason why a body is not an order.
#[derive(Debug, thiserror::Error)]
pub enum NotAnOrder {
    /// The body isn't JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] NotJson),
    /// The body is JSON, but breaks rules of the API.
    #[error("{} violations", .0.len())]
    Invalid(Vec<Violation>),
}

impl Order {
    /// Parses what a client sent, by every rule of the API.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnOrder> {
        let value = json::parse(body)?;
        Self::from_json(value, &Pointer::Root).map_err(NotAnOrder::Invalid)
    }

    /// Parses an order inside a larger document, where it is found `at` a pointer. The same rules apply; pointers refer to the
    /// document.
    pub fn from_json(value: &RawValue, at: &Pointer<'_>) -> Result<Self, Vec<Violation>> {
        let mut violations = Violations::default();
        match read(value, at, &mut violations) {
            Some(order) if violations.is_empty() => Ok(order),
            _ => Err(violations.into_vec()),
        }
    }
}
