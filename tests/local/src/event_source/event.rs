//! Writes a batch of messages as the event of a function: `{"Records":[…]}`.

use crate::{
    sqs::{Message, arn},
    template::model::REGION,
};
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeMap;

/// Bytes of an event without records.
pub(super) const EMPTY_SIZE: usize = r#"{"Records":[]}"#.len();

pub(super) fn event<'a>(records: impl Iterator<Item = &'a str>) -> Bytes {
    let records = records.collect::<Vec<_>>().join(",");
    format!(r#"{{"Records":[{records}]}}"#).into()
}

/// A message's record, in JSON.
pub(super) fn record(message: &Message, queue: &str) -> String {
    let attributes = message.message_attributes.iter();
    let record = Record {
        message_id: &message.id,
        receipt_handle: &message.receipt_handle,
        body: &message.body,
        attributes: &message.attributes,
        message_attributes: attributes
            .map(|(name, attribute)| {
                let attribute = Attribute {
                    string_value: attribute.string_value.as_deref(),
                    binary_value: attribute.binary_value.as_deref(),
                    string_list_values: [],
                    binary_list_values: [],
                    data_type: &attribute.data_type,
                };
                (name.as_str(), attribute)
            })
            .collect(),
        md5_of_body: &message.md5,
        md5_of_message_attributes: message.md5_of_message_attributes.as_deref(),
        event_source: "aws:sqs",
        event_source_arn: arn(queue),
        aws_region: REGION,
    };
    serde_json::to_string(&record).expect("every key is a string")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: &'a BTreeMap<String, String>,
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
    md5_of_body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<&'a str>,
    event_source: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    aws_region: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<&'a str>,
    string_list_values: [(); 0],
    binary_list_values: [(); 0],
    data_type: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::MessageAttribute;
    use serde_json::{Value, json};

    #[test]
    fn a_record_has_what_lambda_sends() -> anyhow::Result<()> {
        let attribute =
            |data_type: &str, string: Option<&str>, binary: Option<&str>| MessageAttribute {
                data_type: data_type.to_owned(),
                string_value: string.map(str::to_owned),
                binary_value: binary.map(str::to_owned),
            };
        let message = Message {
            id: "id".to_owned(),
            receipt_handle: "handle".to_owned(),
            body: "\"{}\"\n".to_owned(),
            md5: "md5".to_owned(),
            attributes: [("ApproximateReceiveCount", "2")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            message_attributes: [
                ("s".to_owned(), attribute("String", Some("x"), None)),
                ("b".to_owned(), attribute("Binary", None, Some("AA=="))),
            ]
            .into(),
            md5_of_message_attributes: None,
        };
        let record = record(&message, "queue");
        let event = event([record.as_str(), record.as_str()].into_iter());
        assert_eq!(event.len(), EMPTY_SIZE + 2 * record.len() + 1);
        let event: Value = serde_json::from_slice(&event)?;
        let record = json!({
            "messageId": "id",
            "receiptHandle": "handle",
            "body": "\"{}\"\n",
            "attributes": {"ApproximateReceiveCount": "2"},
            "messageAttributes": {
                "s": {
                    "stringValue": "x", "stringListValues": [], "binaryListValues": [],
                    "dataType": "String",
                },
                "b": {
                    "binaryValue": "AA==", "stringListValues": [], "binaryListValues": [],
                    "dataType": "Binary",
                },
            },
            "md5OfBody": "md5",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
            "awsRegion": "us-east-1",
        });
        assert_eq!(event, json!({"Records": [record, record]}));
        Ok(())
    }
}
