//! Reads an SQS event record by record, and only the members that are used. The types of `aws_lambda_events` parse an event as
//! a whole, so one odd record would fail its neighbours: a binary attribute that isn't base64, a `null`, a number.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use events::lenient::Object;
use serde::{
    Deserialize,
    de::{Deserializer, Error},
};
use serde_json::value::RawValue;

/// Attributes that are used.
const ATTRIBUTES: [&str; 2] = [
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
];

/// An SQS event. A member that can't be read is left out of its record. [`records`](crate::records) leaves a record without a
/// body on the queue.
#[derive(Debug)]
pub struct Event(pub SqsEvent);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Object::deserialize(deserializer).ok();
        let event = event.as_ref().and_then(read);
        // The error quotes nothing of the event: the runtime logs it.
        event.ok_or_else(|| D::Error::custom("the event has no list of records"))
    }
}

fn read(event: &Object<'_>) -> Option<Event> {
    let records = event.get("Records")?.get();
    // The records are objects, whatever they contain. If one isn't, read each on its own.
    let records = serde_json::from_str(records).or_else(|_| {
        let records: Vec<&RawValue> = serde_json::from_str(records)?;
        let record = |record| Object::read(record).unwrap_or_default();
        serde_json::Result::Ok(records.into_iter().map(record).collect::<Vec<_>>())
    });
    let mut event = SqsEvent::default();
    event.records = records.ok()?.iter().map(record).collect();
    Some(Event(event))
}

fn record(record: &Object<'_>) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = record.text("messageId");
    message.receipt_handle = record.text("receiptHandle");
    message.body = record.text("body");
    let attributes = record.object("attributes");
    for name in ATTRIBUTES {
        let number = || attributes.get(name).map(|number| number.get().to_owned());
        if let Some(value) = attributes.text(name).or_else(number) {
            message.attributes.insert(name.to_owned(), value);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{first_received, read_batch, receives};

    const GOOD: &str = include_str!("../../events/order-placed.json");

    /// A record with these members in place of valid ones.
    fn with(members: &str) -> String {
        let body = serde_json::to_string(GOOD).expect("a text is JSON");
        let good = format!(r#""messageId":"1","receiptHandle":"r","body":{body}"#);
        format!("{{{good},{members}}}")
    }

    fn read(records: &[&str]) -> anyhow::Result<SqsEvent> {
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        Ok(serde_json::from_str::<Event>(&text)?.0)
    }

    #[test]
    fn what_is_not_used_may_be_anything() -> anyhow::Result<()> {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let attribute = |value: &str| format!(r#""messageAttributes":{{"trace":{value}}}"#);
        for members in [
            attribute(r#"{"dataType":"Binary","binaryValue":"base64Str"}"#),
            attribute(r#"{"dataType":"String","stringListValues":null,"binaryListValues":null}"#),
            attribute(r#"{"dataType":7}"#),
            attribute("null"),
            r#""messageAttributes":null"#.to_owned(),
            r#""messageAttributes":[]"#.to_owned(),
            r#""attributes":null"#.to_owned(),
            r#""attributes":{"SenderId":1e999}"#.to_owned(),
            r#""attributes":{"AWSTraceHeader":"\ud800","\udc00":null}"#.to_owned(),
            r#""md5OfBody":false,"eventSourceARN":["\ud83d"],"awsRegion":-1e999"#.to_owned(),
            format!(r#""odd":{deep}"#),
        ] {
            let odd = with(&members);
            let event = read(&[&odd, &with(r#""odd":0"#)])?;
            let batch = read_batch(&event.records, |_| false);
            // The two records contain the same order.
            assert_eq!(
                (batch.orders.len(), batch.duplicates.len()),
                (1, 1),
                "{members}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_number_may_be_a_number() -> anyhow::Result<()> {
        let check = |members: &str, expected: (u32, bool)| {
            let event = read(&[&with(members)])?;
            let found = &event.records[0];
            assert_eq!(
                (receives(found), first_received(found).is_some()),
                expected,
                "{members}"
            );
            anyhow::Ok(())
        };
        let both = |receives: &str, first: &str| {
            format!(
                r#""attributes":{{"ApproximateReceiveCount":{receives},"ApproximateFirstReceiveTimestamp":{first}}}"#
            )
        };
        check(&both("3", "1795338000120"), (3, true))?;
        check(&both("\"3\"", "\"1795338000120\""), (3, true))?;
        check(&both("1e999", "[]"), (1, false))?;
        check(&both("\"\\ud800\"", "null"), (1, false))?;
        check(&both("-1", "1.5"), (1, false))?;
        check(r#""attributes":7"#, (1, false))
    }

    #[test]
    fn a_record_without_a_body_is_left_and_its_neighbours_are_read() -> anyhow::Result<()> {
        for body in [r#""a\ud83d""#, "7", "null", "{}", "[]", "1e999"] {
            let odd = with(&format!(r#""messageId":"2","body":{body}"#));
            let event = read(&[&odd, &with(r#""odd":0"#)])?;
            assert_eq!(event.records[0].message_id.as_deref(), Some("2"));
            let batch = read_batch(&event.records, |_| false);
            assert_eq!((batch.unread.len(), batch.orders.len()), (1, 1), "{body}");
        }
        Ok(())
    }

    #[test]
    fn a_record_without_an_id_has_none() -> anyhow::Result<()> {
        for odd in [
            "null",
            "7",
            "[]",
            "{}",
            r#"{"messageId":7}"#,
            r#"{"messageId":"\ud800"}"#,
        ] {
            let event = read(&[odd, &with(r#""odd":0"#)])?;
            let ids: Vec<_> = event
                .records
                .iter()
                .map(|record| record.message_id.as_deref())
                .collect();
            assert_eq!(ids, [None, Some("1")], "{odd}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_event_is_an_error_that_quotes_nothing() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"Records":null}"#,
            r#"{"Records":{"private":1}}"#,
        ] {
            let error = serde_json::from_str::<Event>(text)
                .expect_err("no event")
                .to_string();
            assert_eq!(error, "the event has no list of records");
        }
    }
}
