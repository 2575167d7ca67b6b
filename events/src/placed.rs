//! The message on the queue: an order was placed.

use crate::{Client, Order, OrderId, Timestamp, exact};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The `type` of the message.
pub const TYPE: &str = "order.placed";
/// The version that is written. It is raised when a field changes its meaning; readers of the new version are deployed before
/// writers.
pub const VERSION: u64 = 1;

/// An accepted order on its way to the table. Its only constructor computes the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub(crate) id: OrderId,
    pub(crate) client: Client,
    pub(crate) placed_at: Timestamp,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) order: Order,
    /// Fields of a later version. A reader that dropped them would lose them for good: the row is the only copy of the order.
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// The reason why this version can't read a message as an order.
#[derive(Debug, thiserror::Error)]
pub enum NotAnOrderPlaced {
    /// The body isn't JSON, or a field is missing or has another type. The text says where, but doesn't quote a client's data.
    #[error("malformed at line {} column {}", .0.line(), .0.column())]
    Malformed(#[from] serde_json::Error),
    /// The message is of another type.
    #[error("its type is not {TYPE}")]
    Type,
    /// The message is of a later version, and must be left for a reader that knows it.
    #[error("its version is {0}, not {VERSION}")]
    Version(u64),
}

impl OrderPlaced {
    /// Returns the message of an order that was accepted at `placed_at`.
    pub fn new(id: OrderId, client: Client, placed_at: Timestamp, order: Order) -> Self {
        Self {
            id,
            client,
            placed_at,
            fingerprint: Fingerprint::of(&order),
            order,
            unknown: Map::new(),
        }
    }

    /// Returns the message's body.
    pub fn to_json(&self) -> String {
        let envelope = Envelope {
            r#type: TYPE.into(),
            version: VERSION,
            message: self,
        };
        let body =
            serde_json::to_string(&envelope).expect("strings, integers and string keys are JSON");
        // JSON allows these two characters in a string, but SQS refuses them in a body.
        exact::unmark(&body)
            .replace('\u{fffe}', "\\ufffe")
            .replace('\u{ffff}', "\\uffff")
    }

    /// Parses a message's body. Keeps unknown fields, with every digit of their numbers.
    pub fn from_json(body: &str) -> Result<Self, NotAnOrderPlaced> {
        #[derive(Deserialize)]
        struct Header {
            r#type: String,
            version: u64,
        }
        match serde_json::from_str::<Envelope<Self>>(&exact::mark(body)) {
            Ok(envelope) if envelope.r#type == TYPE && envelope.version == VERSION => {
                Ok(envelope.message)
            }
            // A message of another type or a later version may not parse: its header alone shows which it is.
            envelope => match serde_json::from_str(body)? {
                Header { r#type, .. } if r#type != TYPE => Err(NotAnOrderPlaced::Type),
                Header { version, .. } if version != VERSION => {
                    Err(NotAnOrderPlaced::Version(version))
                }
                _ => Ok(envelope?.message),
            },
        }
    }

    /// Returns the order's id.
    pub fn id(&self) -> OrderId {
        self.id
    }

    /// Returns the client that sent the order.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the time at which the order was accepted.
    pub fn placed_at(&self) -> Timestamp {
        self.placed_at
    }

    /// Returns the order's fingerprint, as the message's writer computed it.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Returns the order as it was sent.
    pub fn order(&self) -> &Order {
        &self.order
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a, M> {
    r#type: Cow<'a, str>,
    version: u64,
    #[serde(flatten)]
    message: M,
}

/// SHA-256 of an order's canonical form, in hexadecimal: shows whether a retry with the same idempotency key is the same
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes an order's fingerprint. The canonical form is the JSON that this crate writes: neither white space nor the
    /// sequence of fields matters, but the sequence of lines does.
    pub fn of(order: &Order) -> Self {
        let canonical =
            serde_json::to_vec(order).expect("strings, integers and string keys are JSON");
        Self(base16ct::lower::encode_string(&Sha256::digest(&canonical)))
    }

    /// Returns the first 8 digits: enough to distinguish orders under one idempotency key in an address, and little of a
    /// secret.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }

    /// Returns whether the fingerprint starts with these digits, in either case.
    pub fn starts_with(&self, digits: &str) -> bool {
        self.0.starts_with(&digits.to_ascii_lowercase())
    }

    /// Returns the fingerprint in hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
