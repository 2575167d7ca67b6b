//! A message, and its attributes.

use super::{error::SqsError, md5};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes of a message, and of all the messages of a batch.
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

/// A message attribute, which the sender put beside the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, perhaps with a label: `Number.int`.
    pub data_type: String,
    /// The value of a `String` or a `Number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of a `Binary`, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl Message {
    /// Keeps the attributes that a receiver asked for.
    pub fn retain(&mut self, system_attributes: &[String], message_attributes: &[String]) {
        let all = system_attributes.iter().any(|name| name == "All");
        self.attributes
            .retain(|name, _| all || system_attributes.contains(name));
        self.message_attributes
            .retain(|name, _| selects(message_attributes, name));
        self.md5_of_message_attributes = md5::of_attributes(&self.message_attributes);
    }
}

/// Tells if a list such as `["All"]`, `["*"]`, `["bar.*"]` or `["name"]` names a message attribute.
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

/// Tells if a message may hold every character of the text.
pub fn has_valid_characters(text: &str) -> bool {
    text.chars().all(|character| {
        matches!(
            character,
            '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}'
        )
    })
}

/// Refuses a name, type or value that an attribute may not have.
pub fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), SqsError> {
    let refuse = |reason: &str| Err(SqsError::invalid("MessageAttributes", name, reason));
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || name.len() > 256 {
        return refuse("Names must have 1 to 256 bytes.");
    }
    if !name
        .chars()
        .all(|c| c.is_alphanumeric() || "_-.".contains(c))
    {
        return refuse("Names can only contain letters, digits, periods, hyphens and underscores.");
    }
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return refuse("Names beginning with AWS. or Amazon. are reserved.");
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return refuse("Names cannot start or end with a period, or have two in succession.");
    }
    let value = attribute.string_value.as_deref().unwrap_or_default();
    let empty = |of_type: &str| {
        let message = format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{of_type}'."
        );
        Err(SqsError::InvalidParameter(message))
    };
    match attribute.data_type.split('.').next() {
        Some("String") if value.is_empty() => empty("String"),
        Some("String") if !has_valid_characters(value) => refuse("Invalid characters found."),
        Some("Number") if !value.parse().is_ok_and(f64::is_finite) => {
            refuse("Can't cast the value to a number.")
        }
        Some("String" | "Number") => Ok(()),
        Some("Binary") => match attribute.binary_value.as_deref() {
            None | Some("") => empty("Binary"),
            Some(value) if STANDARD.decode(value).is_err() => refuse("Invalid base64."),
            Some(_) => Ok(()),
        },
        _ => refuse("The type must be prefixed with \"String\", \"Binary\", or \"Number\"."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_what_xml_can_hold() {
        for valid in [
            "\t\n\r",
            " ~\u{7f}",
            "\u{d7ff}\u{e000}\u{fffd}",
            "\u{10000}\u{10ffff}",
        ] {
            assert!(has_valid_characters(valid), "{valid:?}");
        }
        for invalid in ["\0", "\u{8}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            assert!(!has_valid_characters(invalid), "{invalid:?}");
        }
    }

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

    #[test]
    fn an_attribute_has_a_proper_name_type_and_value() {
        for (name, data_type, value, valid) in [
            ("a", "String", "x", true),
            ("a.b-c_D9", "String.label", "x", true),
            ("a", "Number", "-1.5e3", true),
            ("attr.1øßä", "String", "x", true),
            ("a", "String", "", false),
            ("a", "String", "\u{1}", false),
            ("a", "Number", "NaN", false),
            ("a", "Text", "x", false),
            ("aws.a", "String", "x", false),
            ("Amazon.a", "String", "x", false),
            (".a", "String", "x", false),
            ("a..b", "String", "x", false),
            ("a b", "String", "x", false),
            ("", "String", "x", false),
        ] {
            let attribute = MessageAttribute {
                data_type: data_type.to_owned(),
                string_value: Some(value.to_owned()),
                binary_value: None,
            };
            let checked = check_attribute(name, &attribute);
            assert_eq!(checked.is_ok(), valid, "{name} {data_type} {value:?}");
        }
    }
}
