//! A message, and its attributes.

use super::{md5, message_attribute::MessageAttribute};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use std::collections::BTreeMap;

/// The maximum size of a message, and of all the messages of a batch.
pub const MAXIMUM_MESSAGE_SIZE: usize = 1_048_576;

/// A received message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// The id, which stays the same from receive to receive.
    #[serde(rename = "MessageId")]
    pub id: String,
    /// The receipt handle of this receive.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// MD5 of the body, in hex.
    #[serde(rename = "MD5OfBody")]
    pub md5: String,
    /// System attributes: `ApproximateReceiveCount`, `SentTimestamp`, `AWSTraceHeader`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The sender's own attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub message_attributes: BTreeMap<String, MessageAttribute>,
    /// MD5 of `message_attributes`, if there are any.
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    pub md5_of_message_attributes: Option<String>,
}

impl Message {
    /// Keeps only the attributes that a receiver asked for.
    pub fn retain(&mut self, system_attributes: &[String], message_attributes: &[String]) {
        let all = system_attributes.iter().any(|name| name == "All");
        self.attributes
            .retain(|name, _| all || system_attributes.contains(name));
        self.message_attributes
            .retain(|name, _| selects(message_attributes, name));
        self.md5_of_message_attributes = md5::of_attributes(&self.message_attributes);
    }
}

/// Whether a list such as `["All"]`, `["*"]`, `["bar.*"]` or `["name"]` names a message attribute.
fn selects(wanted: &[String], name: &str) -> bool {
    wanted.iter().any(|wanted| {
        wanted == "All"
            || wanted == "*"
            || wanted == name
            || wanted
                .strip_suffix(".*")
                .is_some_and(|prefix| name.starts_with(prefix))
    })
}

/// The size of a message as SQS counts it.
pub fn size(body: &str, attributes: &BTreeMap<String, MessageAttribute>) -> usize {
    let attributes = attributes.iter().map(|(name, attribute)| {
        let text = attribute.string_value.as_ref().map_or(0, String::len);
        let binary = attribute.binary_value.as_ref().map_or(0, |value| {
            STANDARD.decode(value).map_or(value.len(), |v| v.len())
        });
        name.len() + attribute.data_type.len() + text + binary
    });
    body.len() + attributes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_selected_by_name_by_prefix_or_all() {
        for (wanted, name, expected) in [
            ("All", "bar.one", true),
            ("*", "bar.one", true),
            (".*", "bar.one", true),
            ("bar.*", "bar.one", true),
            ("bar.*", "barrel", true),
            ("bar.*", "foo", false),
            ("bar.one", "bar.one", true),
            ("bar", "bar.one", false),
            ("Bar.one", "bar.one", false),
        ] {
            assert_eq!(
                selects(&[wanted.to_owned()], name),
                expected,
                "{wanted} {name}"
            );
        }
        assert!(!selects(&[], "bar.one"));
    }
}
