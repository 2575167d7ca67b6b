//! A whole event from the queue, for `process`.

use super::record_body::put;
use crate::{
    functions,
    json::{self, Json},
    program::Program,
    samples,
    tally::Tally,
};
use events::OrderPlaced;
use process::event::Event;
use std::collections::BTreeSet;

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 5] = [
    "nothing new failed",
    "more failed",
    "last delivery attempt",
    "no message id",
    "no event",
];

/// Members of a record that are wrong, or that no function needs.
const ODD: [(&str, &str); 15] = [
    (
        "messageAttributes",
        r#"{"trace":{"dataType":"Binary","binaryValue":"base64Str"}}"#,
    ),
    (
        "messageAttributes",
        r#"{"trace":{"dataType":"String","stringListValues":null}}"#,
    ),
    ("messageAttributes", "null"),
    ("attributes", r#"{"ApproximateReceiveCount":1}"#),
    (
        "attributes",
        r#"{"ApproximateReceiveCount":1e999,"SenderId":{}}"#,
    ),
    ("attributes", r#"{"AWSTraceHeader":"\ud800","\udc00":[]}"#),
    ("attributes", "null"),
    ("body", r#""\ud83d""#),
    ("body", "7"),
    ("body", "null"),
    ("body", r#"{"type":"order.placed"}"#),
    ("receiptHandle", "null"),
    ("eventSource", "-1e999"),
    ("awsRegion", r#"["\ud800\ud800"]"#),
    ("messageId", "7"),
];

/// Invokes `process` with the event that this program makes: odd records among good ones.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let mut event = Json::from(program.pick(&samples::BATCH));
    let mut good = BTreeSet::new();
    if let Some(Json::List(records)) = event.member("Records") {
        for record in records {
            if !program.once_in(2) {
                good.extend(order(record));
                continue;
            }
            if program.once_in(32) {
                *record = Json::Raw("null".to_owned());
                continue;
            }
            let (name, value) = *program.pick(&ODD);
            record.give(name.to_owned(), Json::Raw(value.to_owned()));
            if program.once_in(4) {
                let body = json::document(&samples::MESSAGES, &mut program);
                let body = Json::Text(String::from_utf8_lossy(&body).into_owned());
                record.give("body".to_owned(), body);
            }
            if program.once_in(8) {
                let deep = "[".repeat(30_000) + &"]".repeat(30_000);
                record.give(program.text(), Json::Raw(deep));
            }
            if program.once_in(4) {
                let receives = *program.pick(&["1", "9", "10", "11", "4294967296", "-1", ""]);
                let receives = Json::Text(receives.to_owned());
                let attributes = vec![("ApproximateReceiveCount".to_owned(), receives)];
                record.give("attributes".to_owned(), Json::Map(attributes));
            }
        }
    }
    if program.once_in(4) {
        event.mutate(&mut program);
        good.clear();
    }
    let Ok(Event(mut event)) = serde_json::from_str::<Event>(&event.to_string()) else {
        assert!(good.is_empty(), "{event}");
        return tally.count("no event");
    };
    // Message ids appear in log lines, but only SQS sets them, or an invoker, who may write the logs anyway.
    for id in event
        .records
        .iter_mut()
        .filter_map(|record| record.message_id.as_mut())
    {
        id.retain(|c| c.is_ascii_graphic());
        id.truncate(100);
    }
    let ids: BTreeSet<_> = event
        .records
        .iter()
        .filter_map(|record| record.message_id.clone())
        .collect();
    // Records with the same order share the fate of the first one, which may be odd.
    let about = |id: &str| {
        let bodies = event
            .records
            .iter()
            .filter_map(|record| record.body.as_deref());
        bodies.filter(|body| body.contains(id)).count()
    };
    good.retain(|id| about(id) == 1);
    let records = event.records.len();
    let (response, calls) =
        functions::with(|functions| (functions.process(event), functions.cloud.calls()));
    let Ok(response) = response else {
        assert!(calls.is_empty(), "{calls:?}");
        return tally.count("no message id");
    };
    // Lambda treats an id that it doesn't know, or a missing one, as the failure of the whole batch.
    let failed = response.batch_item_failures;
    assert!(
        failed
            .iter()
            .all(|failure| ids.contains(&failure.item_identifier)),
        "{failed:?}"
    );
    assert!(failed.len() <= records);
    let put = put(&calls);
    for id in good {
        assert!(put.contains(&id), "{put:?} lacks {id}");
    }
    if calls.iter().any(|(operation, _)| operation == "PutItem") {
        tally.count("last delivery attempt");
    }
    // Two of the sample's six messages are bad.
    tally.count(if failed.len() <= 2 {
        "nothing new failed"
    } else {
        "more failed"
    });
}

/// The order id in a good record.
fn order(record: &mut Json) -> Option<String> {
    let Some(Json::Text(body)) = record.member("body") else {
        return None;
    };
    Some(OrderPlaced::from_json(body).ok()?.id().to_string())
}
