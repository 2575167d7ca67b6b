//! The message on the queue: an order was placed.

use crate::{Client, Order, OrderId, Timestamp, exact};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The `type` of the message.
pub const TYPE: &str = "order.placed";
/// The version that is written. A change of meaning raises it; readers that know it are deployed before writers.
pub const VERSION: u64 = 1;

/// An accepted order on its way to the table. The one constructor computes the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub(crate) id: OrderId,
    pub(crate) client: Client,
    pub(crate) placed_at: Timestamp,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) order: Order,
    /// A later version's fields. A reader that drops them loses them for good: the row is the only copy of the order.
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// The reason for which this version can't read a message as an order.
#[derive(Debug, thiserror::Error)]
pub enum NotAnOrderPlaced {
    /// Not JSON, or a field is missing or of another type. Says where, and not what: that is a client's.
    #[error("malformed at line {} column {}", .0.line(), .0.column())]
    Malformed(#[from] serde_json::Error),
    /// Another type of message.
    #[error("its type is not {TYPE}")]
    Type,
    /// A version from the future: to be left for a reader that knows it.
    #[error("its version is {0}, not {VERSION}")]
    Version(u64),
}

impl OrderPlaced {
    /// The message of an order that was accepted at `placed_at`.
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

    /// The message's body.
    pub fn to_json(&self) -> String {
        let envelope = Envelope {
            r#type: TYPE.into(),
            version: VERSION,
            message: self,
        };
        let body =
            serde_json::to_string(&envelope).expect("strings, integers and string keys are JSON");
        // The two characters that JSON lets stand but that SQS refuses in a body.
        exact::unmark(&body)
            .replace('\u{fffe}', "\\ufffe")
            .replace('\u{ffff}', "\\uffff")
    }

    /// Reads a message's body. Fields that aren't known are kept, and their numbers digit by digit.
    pub fn from_json(body: &str) -> Result<Self, NotAnOrderPlaced> {
        #[derive(Deserialize)]
        struct Header {
            r#type: String,
            version: u64,
        }
        let header: Header = serde_json::from_str(body)?;
        if header.r#type != TYPE {
            return Err(NotAnOrderPlaced::Type);
        }
        if header.version != VERSION {
            return Err(NotAnOrderPlaced::Version(header.version));
        }
        let envelope: Envelope<Self> = serde_json::from_str(&exact::mark(body))?;
        Ok(envelope.message)
    }

    /// The order's id.
    pub fn id(&self) -> OrderId {
        self.id
    }

    /// The client that sent it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The time at which it was accepted.
    pub fn placed_at(&self) -> Timestamp {
        self.placed_at
    }

    /// The fingerprint of the order, as its writer computed it.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The order as it was sent.
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

/// SHA-256 of an order's canonical form, in hexadecimal: tells whether a retry with the same idempotency key is the
/// same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of an order. The canonical form is its JSON as this crate writes it: neither white space nor the order of
    /// fields counts, but the order of lines does.
    pub fn of(order: &Order) -> Self {
        let canonical =
            serde_json::to_vec(order).expect("strings, integers and string keys are JSON");
        Self(base16ct::lower::encode_string(&Sha256::digest(&canonical)))
    }

    /// Its first 8 digits: they distinguish the orders of one idempotency key in an address, and are little of a secret.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }

    /// True if it starts with these digits, in either case.
    pub fn starts_with(&self, digits: &str) -> bool {
        self.0.starts_with(&digits.to_ascii_lowercase())
    }

    /// In hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
