//! The client that sent an order, and its idempotency key.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most bytes of a client's name that travel with an order.
const LONGEST_NAME: usize = 255;

/// The caller of the API. It scopes order ids and idempotency keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Client(String);

impl Client {
    /// A caller that the gateway has identified, by its principal or API key id. Empty is nobody. A hash stands for a
    /// name of more than 255 bytes, which nothing but an authorizer's author would bound: with it, the order could be too
    /// long for the queue.
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

    /// Callers that the gateway hasn't told apart. They share one name, so they may not use idempotency keys: one
    /// caller's key would swallow another's order.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    /// True if the gateway has told this caller from others.
    pub fn is_identified(&self) -> bool {
        self.0 != "anonymous"
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The message group of its orders: fair queues keep one group's flood from delaying the rest. A hash, because a
    /// group's name has few characters to choose from and a client's has all.
    pub fn message_group(&self) -> String {
        base16ct::lower::encode_string(&Sha256::digest(&self.0)[..16])
    }
}

/// A client's own name for a request that it may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A key that isn't 1 to 255 visible ASCII characters without a comma.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must be 1 to 255 visible ASCII characters without a comma")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Checks a key. It has no comma, by which gateways and proxies join the values of a header.
    pub fn new(key: &str) -> Result<Self, InvalidIdempotencyKey> {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        if (1..=255).contains(&key.len()) && key.bytes().all(is_allowed) {
            Ok(Self(key.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// The key.
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
    fn nobody_is_anonymous() {
        assert!(!Client::identified("").is_identified());
        assert!(!Client::anonymous().is_identified());
        assert!(Client::identified("key-1").is_identified());
    }

    #[test]
    fn a_long_name_is_told_from_others_by_its_hash() {
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
