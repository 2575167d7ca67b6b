//! The client that sent an order, and its idempotency key.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest client name that travels with an order, in bytes.
const LONGEST_NAME: usize = 255;

/// The caller of the API. It scopes order ids and idempotency keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Client(String);

impl Client {
    /// Returns a caller that the gateway identified, by its principal or API key id. An empty name is anonymous. A name of
    /// more than 255 bytes is replaced by its hash: only an authorizer's author limits its length, and it could make the order
    /// too long for the queue.
    pub fn identified(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.is_empty() {
            Self::anonymous()
        } else if name.len() > LONGEST_NAME {
            let hash = base16ct::lower::encode_string(&Sha256::digest(&name));
            Self(format!("sha256:{hash}"))
        } else {
            Self(name)
        }
    }

    /// Returns the client of all callers that the gateway did not identify. They share one name, so they may not use
    /// idempotency keys: one caller's key would swallow another's order.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    /// Returns whether the gateway identified this caller.
    pub fn is_identified(&self) -> bool {
        self.0 != "anonymous"
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the message group of the client's orders: fair queues keep one group's flood from delaying the rest. It is a
    /// hash, because a group's name allows few characters and a client's allows all.
    pub fn message_group(&self) -> String {
        base16ct::lower::encode_string(&Sha256::digest(&self.0)[..16])
    }
}

/// A name that a client gives to a request that it may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The error for a key that isn't 1 to 255 visible ASCII characters without a comma.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must be 1 to 255 visible ASCII characters without a comma")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Checks a key. Commas are not allowed: gateways and proxies join the values of a header with them.
    pub fn new(key: &str) -> Result<Self, InvalidIdempotencyKey> {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        if (1..=255).contains(&key.len()) && key.bytes().all(is_allowed) {
            Ok(Self(key.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters_without_a_comma() {
        let check =
            |key: &str, valid: bool| assert_eq!(IdempotencyKey::new(key).is_ok(), valid, "{key:?}");
        check("a", true);
        check("!~", true);
        check(&"k".repeat(255), true);
        check("", false);
        check(&"k".repeat(256), false);
        check("a b", false);
        check("a\tb", false);
        check("ä", false);
        check("\u{7f}", false);
        for comma in [",", "a,b", "a,a", "a,", ",a"] {
            check(comma, false);
        }
        check("a+b-c.d;e", true);
    }

    #[test]
    fn an_empty_name_is_anonymous() {
        assert!(!Client::identified("").is_identified());
        assert!(!Client::anonymous().is_identified());
        assert!(Client::identified("key-1").is_identified());
    }

    #[test]
    fn long_names_are_distinguished_by_their_hashes() {
        let named = |length: usize| Client::identified("\u{1}".repeat(length));
        assert_eq!(named(255).as_str().len(), 255);
        assert_eq!(named(256).as_str().len(), "sha256:".len() + 64);
        assert_ne!(named(256), named(257));
        assert_eq!(named(60_000), named(60_000));
        assert!(named(60_000).is_identified());
    }

    #[test]
    fn each_client_has_a_message_group_that_sqs_takes() {
        let group = |name| Client::identified(name).message_group();
        assert_ne!(group("ann"), group("ben"));
        let odd = group("ä \u{1}");
        assert!(
            odd.len() == 32 && odd.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{odd}"
        );
    }
}
