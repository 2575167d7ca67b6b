//! What a sender may add to a message's body.

use super::error::SqsError;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// A message attribute, which the sender added to the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, optionally with a label: `Number.int`.
    pub data_type: String,
    /// The value of a `String` or a `Number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of a `Binary`, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// Whether a message may contain every character of the text.
pub fn has_valid_characters(text: &str) -> bool {
    text.chars().all(|character| {
        matches!(
            character,
            '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}'
        )
    })
}

/// Refuses a name, type or value that an attribute may not have.
pub fn check(name: &str, attribute: &MessageAttribute) -> Result<(), SqsError> {
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
            let checked = check(name, &attribute);
            assert_eq!(checked.is_ok(), valid, "{name} {data_type} {value:?}");
        }
    }
}
