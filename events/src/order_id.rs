//! Order ids: UUIDs that the API recognises as its own, and as this client's, before the order has a row.
//!
//! A UUID of version 8 has 122 free bits. The first 90 identify the order; the last 32 are an HMAC over them and the client.
//! So `GET` can distinguish an accepted order that has no row yet from an id that was never issued, and accepting an order
//! stays one durable write.

use crate::client::{Client, IdempotencyKey};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::{Builder, Uuid};

/// Bytes of the id before its MAC: 90 bits that identify the order, and the 6 that mark a UUID of version 8.
const IDENTITY: usize = 12;

/// The id of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(Uuid);

impl OrderId {
    /// Parses an id: a UUID of version 8, with hyphens, in either case. Whether it was issued, and to whom, only a row or
    /// [`OrderIds::recognise`] can say.
    pub fn parse(text: &str) -> Option<Self> {
        // `Uuid` also parses forms without hyphens, in braces, and URNs. Here, an order has one address.
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
        (id.get_version_num() == 8).then_some(Self(id))
    }
}

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A secret that signs order ids, as the state of an HMAC with this key. It is never printed.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// The error for a secret of fewer than 32 characters.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret must have at least 32 characters")]
pub struct SecretTooShort;

impl Secret {
    /// Accepts a secret of at least 32 characters.
    pub fn new(secret: impl Into<String>) -> Result<Self, SecretTooShort> {
        let secret = secret.into();
        if secret.len() < 32 {
            return Err(SecretTooShort);
        }
        let mac = Hmac::new_from_slice(secret.as_bytes());
        Ok(Self(mac.expect("HMAC takes keys of any length")))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Creates order ids, and recognises them.
#[derive(Debug, Clone)]
pub struct OrderIds {
    signing: Secret,
    accepted: Vec<Secret>,
}

impl OrderIds {
    /// Signs with `signing`, and recognises ids signed with it or with one of `accepted`. During a rotation, every function
    /// must know both secrets before any signs with the new one.
    pub fn new(signing: Secret, accepted: Vec<Secret>) -> Self {
        Self { signing, accepted }
    }

    /// Returns the id of an order without an idempotency key. `random` must come from an unpredictable generator.
    pub fn fresh(&self, client: &Client, random: [u8; IDENTITY]) -> OrderId {
        sign(&self.signing, client, random)
    }

    /// Returns the id of the client's order with this key: always the same, so that a retry takes effect once.
    pub fn keyed(&self, client: &Client, key: &IdempotencyKey) -> OrderId {
        let digest = mac(
            &self.signing,
            "key",
            &[client.as_str().as_bytes(), key.as_str().as_bytes()],
        )
        .finalize()
        .into_bytes();
        sign(&self.signing, client, std::array::from_fn(|n| digest[n]))
    }

    /// Returns whether the id was issued to this client, under one of these secrets. Compares in constant time.
    pub fn recognise(&self, client: &Client, id: OrderId) -> bool {
        let (identity, tag) = id.0.as_bytes().split_at(IDENTITY);
        let mut secrets = std::iter::once(&self.signing).chain(&self.accepted);
        secrets.any(|secret| {
            id_mac(secret, client, identity)
                .verify_truncated_left(tag)
                .is_ok()
        })
    }
}

fn sign(secret: &Secret, client: &Client, identity: [u8; IDENTITY]) -> OrderId {
    let mut bytes = [0; 16];
    bytes[..IDENTITY].copy_from_slice(&identity);
    // The version and variant bits are set first: the MAC covers the identity as it appears in the id.
    let mut bytes = Builder::from_custom_bytes(bytes).into_uuid().into_bytes();
    let tag = id_mac(secret, client, &bytes[..IDENTITY])
        .finalize()
        .into_bytes();
    bytes[IDENTITY..].copy_from_slice(&tag[..16 - IDENTITY]);
    OrderId(Uuid::from_bytes(bytes))
}

fn id_mac(secret: &Secret, client: &Client, identity: &[u8]) -> Hmac<Sha256> {
    mac(secret, "id", &[identity, client.as_str().as_bytes()])
}

/// Returns an HMAC over a purpose and inputs. Each input's length precedes it, so that no two lists of inputs look the same.
fn mac(secret: &Secret, purpose: &str, inputs: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = secret.0.clone();
    for input in std::iter::once(purpose.as_bytes()).chain(inputs.iter().copied()) {
        mac.update(&(input.len() as u64).to_be_bytes());
        mac.update(input);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;
    use proptest::prelude::*;

    fn ids(secret: &str, accepted: &[&str]) -> Result<OrderIds> {
        let accepted = accepted
            .iter()
            .map(|secret| Secret::new(secret.repeat(32)))
            .collect::<Result<_, _>>()?;
        Ok(OrderIds::new(Secret::new(secret.repeat(32))?, accepted))
    }

    #[test]
    fn an_id_is_recognised_for_the_client_it_was_issued_to() -> Result<()> {
        let (ids, [ann, ben]) = (ids("s", &[])?, ["ann", "ben"].map(Client::identified));
        let id = ids.fresh(&ann, [7; 12]);
        assert!(ids.recognise(&ann, id));
        assert!(!ids.recognise(&ben, id));
        Ok(())
    }

    #[test]
    fn an_id_is_read_in_one_form_and_either_case() -> Result<()> {
        let id = ids("s", &[])?.fresh(&Client::identified("ann"), [7; 12]);
        let text = id.to_string();
        assert_eq!(OrderId::parse(&text), Some(id));
        assert_eq!(OrderId::parse(&text.to_uppercase()), Some(id));
        for other in [
            id.0.simple().to_string(),
            id.0.braced().to_string(),
            id.0.urn().to_string(),
            Uuid::from_bytes([7; 16]).to_string(),
            format!("{text} "),
            text.replace('-', "+"),
            String::new(),
        ] {
            assert_eq!(OrderId::parse(&other), None, "{other}");
        }
        Ok(())
    }

    #[test]
    fn an_id_is_a_uuid_of_version_8() -> Result<()> {
        let id = ids("s", &[])?.fresh(&Client::anonymous(), [0xff; 12]).0;
        assert_eq!(
            (id.get_version_num(), id.get_variant()),
            (8, uuid::Variant::RFC4122)
        );
        Ok(())
    }

    #[test]
    fn a_key_has_the_same_id_each_time_and_each_client_its_own() -> Result<()> {
        let (ids, [ann, ben]) = (ids("s", &[])?, ["ann", "ben"].map(Client::identified));
        let key = IdempotencyKey::new("k")?;
        assert_eq!(ids.keyed(&ann, &key), ids.keyed(&ann, &key));
        assert_ne!(ids.keyed(&ann, &key), ids.keyed(&ben, &key));
        assert_ne!(
            ids.keyed(&ann, &key),
            ids.keyed(&ann, &IdempotencyKey::new("l")?)
        );
        // The identifying part must differ, not only the MAC's 32 bits.
        let identity = |id: OrderId| id.0.as_bytes()[..IDENTITY].to_vec();
        assert_ne!(
            identity(ids.keyed(&ann, &key)),
            identity(ids.keyed(&ben, &key))
        );
        // Without the lengths, both would be made from "annk".
        assert_ne!(
            ids.keyed(&Client::identified("an"), &IdempotencyKey::new("nk")?),
            ids.keyed(&Client::identified("ann"), &IdempotencyKey::new("k")?)
        );
        Ok(())
    }

    #[test]
    fn a_rotation_forgets_no_id() -> Result<()> {
        let (client, before) = (Client::identified("ann"), ids("a", &[])?);
        let (first, second) = (ids("a", &["b"])?, ids("b", &["a"])?);
        let (third, fourth) = (ids("b", &["c"])?, ids("c", &["b"])?);
        let (old, new) = (
            before.fresh(&client, [1; 12]),
            second.fresh(&client, [2; 12]),
        );
        for functions in [&first, &second] {
            assert!(functions.recognise(&client, old));
            assert!(functions.recognise(&client, new));
        }
        // After a second rotation, an id of the first secret is known by its row alone.
        for functions in [&third, &fourth] {
            assert!(functions.recognise(&client, new));
            assert!(!functions.recognise(&client, old));
        }
        for id in [old, new] {
            assert_eq!(OrderId::parse(&id.to_string()), Some(id));
        }
        Ok(())
    }

    #[test]
    fn a_secret_is_long_and_never_printed() -> Result<()> {
        assert_eq!(Secret::new("short").err(), Some(SecretTooShort));
        assert!(!format!("{:?}", ids("hidden", &["veiled"])?).contains("hidden"));
        Ok(())
    }

    proptest! {
        #[test]
        fn no_other_bits_are_an_id(random: [u8; 12], bit in 0..128_usize, text: String) {
            let (ids, client) = (ids("s", &[]).expect("long enough"), Client::identified("ann"));
            let id = ids.fresh(&client, random);
            let mut bytes = *id.0.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!ids.recognise(&client, OrderId(Uuid::from_bytes(bytes))));
            prop_assert_eq!(OrderId::parse(&text), None);
        }
    }
}
