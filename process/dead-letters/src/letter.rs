//! A parsed message of the dead-letter queue. Pure.

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use events::{OrderPlaced, Timestamp, placed::NotAnOrderPlaced};
use std::{
    collections::HashMap,
    time::{Duration, UNIX_EPOCH},
};

/// A dead letter. Several may contain the same order.
#[derive(Debug)]
pub struct Letter {
    message_id: String,
    receipt_handle: String,
    order: Result<OrderPlaced, NotAnOrderPlaced>,
    message: Message,
}

impl Letter {
    /// Parses a received message. None if it has no id or no receipt handle, which SQS sets on each.
    pub fn read(message: Message) -> Option<Self> {
        Some(Self {
            message_id: message.message_id.clone()?,
            receipt_handle: message.receipt_handle.clone()?,
            order: OrderPlaced::from_json(message.body().unwrap_or_default()),
            message,
        })
    }

    /// Returns the order's id, or the message's if it contains no readable order.
    pub fn id(&self) -> String {
        match &self.order {
            Ok(placed) => placed.id().to_string(),
            Err(_) => self.message_id.clone(),
        }
    }

    /// Returns whether the order or the message has this id, in upper or lower case.
    pub fn is(&self, id: &str) -> bool {
        self.message_id.eq_ignore_ascii_case(id) || self.id().eq_ignore_ascii_case(id)
    }

    /// Returns whether the order is this client's, given by name or by message group.
    pub fn is_of(&self, client: &str) -> bool {
        let named = |placed: &OrderPlaced| placed.client().as_str() == client;
        self.order.as_ref().is_ok_and(named) || self.message_group().as_deref() == Some(client)
    }

    /// Returns the message's id.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns the handle by which SQS knows this receive.
    pub fn receipt_handle(&self) -> &str {
        &self.receipt_handle
    }

    /// Returns the order in the message, or why it can't be read.
    pub fn order(&self) -> &Result<OrderPlaced, NotAnOrderPlaced> {
        &self.order
    }

    /// Returns the body, unchanged.
    pub fn body(&self) -> &str {
        self.message.body().unwrap_or_default()
    }

    /// Returns the attributes that the sender set.
    pub fn message_attributes(&self) -> Option<&HashMap<String, MessageAttributeValue>> {
        self.message.message_attributes()
    }

    /// Returns one of SQS's own attributes of the message.
    pub fn attribute(&self, name: &MessageSystemAttributeName) -> Option<&str> {
        let value = self.message.attributes()?.get(name)?;
        Some(value)
            .filter(|value| !value.is_empty())
            .map(|value| &**value)
    }

    /// Returns one of SQS's own attributes that is a time.
    pub fn time(&self, name: &MessageSystemAttributeName) -> Option<Timestamp> {
        let millis = Duration::from_millis(self.attribute(name)?.parse().ok()?);
        Some(UNIX_EPOCH.checked_add(millis)?.into())
    }

    /// Returns the client's message group: the message's own, else the one that `ingest` sets for the order's client.
    pub fn message_group(&self) -> Option<String> {
        let came_with = self.attribute(&MessageSystemAttributeName::MessageGroupId);
        let of_client = || Some(self.order.as_ref().ok()?.client().message_group());
        came_with.map(str::to_owned).or_else(of_client)
    }

    /// Returns the bytes that count towards the size of a call.
    pub fn bytes(&self) -> usize {
        let attributes = self.message_attributes().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let binary = value
                .binary_value()
                .map_or(0, |binary| binary.as_ref().len());
            name.len() + value.data_type().len() + text + binary
        });
        self.body().len() + attributes.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{message, order};
    use MessageSystemAttributeName::{MessageGroupId, SentTimestamp};
    use anyhow::{Context, Result};

    #[test]
    fn a_letter_is_known_by_its_orders_id_and_by_its_own() -> Result<()> {
        let placed = order(1, 1)?;
        let letter = Letter::read(message("m", &placed.to_json())).context("no letter")?;
        assert_eq!(letter.id(), placed.id().to_string());
        assert!(letter.is(&placed.id().to_string()) && letter.is("m") && !letter.is("other"));
        let capitals = placed.id().to_string().to_uppercase();
        assert!(letter.is(&capitals) && letter.is("M"), "{capitals}");
        let poison = Letter::read(message("m", "poison")).context("no letter")?;
        assert_eq!(poison.id(), "m");
        Ok(())
    }

    #[test]
    fn a_letter_without_a_message_group_gets_its_clients() -> Result<()> {
        let placed = order(1, 1)?;
        let letter = |group: Option<&str>, body: &str| {
            let mut message = message("m", body);
            let group = group.map(|group| (MessageGroupId, group.to_owned()));
            message.attributes = Some(group.into_iter().collect());
            Letter::read(message).context("no letter")
        };
        let body = placed.to_json();
        let own = placed.client().message_group();
        assert_eq!(
            letter(Some("g"), &body)?.message_group().as_deref(),
            Some("g")
        );
        assert_eq!(letter(None, &body)?.message_group(), Some(own.clone()));
        assert_eq!(
            letter(Some("g"), "poison")?.message_group().as_deref(),
            Some("g")
        );
        assert_eq!(letter(None, "poison")?.message_group(), None);
        assert!(letter(None, &body)?.is_of(&own) && letter(None, &body)?.is_of("ann"));
        assert!(!letter(None, &body)?.is_of("ben") && !letter(None, "poison")?.is_of("ann"));
        Ok(())
    }

    #[test]
    fn an_invalid_time_is_left_out() -> Result<()> {
        for (text, expected) in [
            ("1795338000120", Some("2026-11-22T09:00:00.120Z")),
            ("", None),
            ("-1", None),
            ("soon", None),
        ] {
            let mut message = message("m", "poison");
            message.attributes = Some([(SentTimestamp, text.to_owned())].into());
            let letter = Letter::read(message).context("no letter")?;
            let time = letter.time(&SentTimestamp).map(|time| time.to_string());
            assert_eq!(time.as_deref(), expected, "{text}");
        }
        Ok(())
    }
}
