//! Computes the digests that show a sender that SQS got the message as it was sent.

use super::message_attribute::MessageAttribute;
use ::md5::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;

/// The MD5 of a message's body, in hex.
pub fn of_body(body: &str) -> String {
    format!("{:x}", ::md5::compute(body))
}

/// The MD5 of a message's attributes as SQS computes it. Sorted by name, each adds its name, type and value, each with its
/// length before it, and the kind of value before the value. `None` without attributes.
pub fn of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Context::new();
    for (name, attribute) in attributes {
        update_with_length(&mut digest, name.as_bytes());
        update_with_length(&mut digest, attribute.data_type.as_bytes());
        if let Some(value) = &attribute.binary_value {
            digest.consume([2]);
            // The value was checked when the message was sent.
            update_with_length(&mut digest, &STANDARD.decode(value).unwrap_or_default());
        } else {
            digest.consume([1]);
            let value = attribute.string_value.as_deref().unwrap_or_default();
            update_with_length(&mut digest, value.as_bytes());
        }
    }
    Some(format!("{:x}", digest.compute()))
}

fn update_with_length(digest: &mut Context, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a message has at most 1 MiB");
    digest.consume(length.to_be_bytes());
    digest.consume(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_md5_of_a_body_is_that_of_rfc_1321() {
        assert_eq!(of_body("abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            of_body("message digest"),
            "f96b697d7cb7938d525a2f31aaf161d0"
        );
    }

    #[test]
    fn the_md5_of_attributes_is_what_localstack_computes() {
        let attributes = BTreeMap::from([
            text("trace", "String", "caf\u{e9}"),
            text("attempt", "Number.int", "7"),
            (
                "blob".to_owned(),
                MessageAttribute {
                    data_type: "Binary".to_owned(),
                    string_value: None,
                    binary_value: Some("AAH/".to_owned()),
                },
            ),
        ]);
        assert_eq!(
            of_attributes(&attributes).as_deref(),
            Some("70bf93cd494239179aac3b36e2fdd260")
        );
    }

    #[test]
    fn no_attributes_have_no_md5() {
        assert_eq!(of_attributes(&BTreeMap::new()), None);
    }

    fn text(name: &str, data_type: &str, value: &str) -> (String, MessageAttribute) {
        let attribute = MessageAttribute {
            data_type: data_type.to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        };
        (name.to_owned(), attribute)
    }
}
