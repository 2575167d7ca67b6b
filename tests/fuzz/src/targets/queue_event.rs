//! A whole event from the queue, for `process`.

use crate::{
    functions,
    json::{self, Json},
    program::Program,
    samples,
    tally::Tally,
};
use aws_lambda_events::sqs::SqsEvent;
use std::collections::BTreeSet;

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 5] = [
    "nothing new failed",
    "more failed",
    "last delivery attempt",
    "no message id",
    "no event",
];

/// Invokes `process` with the event that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let mut event = Json::from(program.pick(&samples::BATCH));
    if program.once_in(2) {
        event.mutate(&mut program);
    }
    let Ok(mut event) = serde_json::from_str::<SqsEvent>(&event.to_string()) else {
        return tally.count("no event");
    };
    for record in &mut event.records {
        if program.once_in(4) {
            let body = json::document(&samples::MESSAGES, &mut program);
            record.body = Some(String::from_utf8_lossy(&body).into_owned());
        }
        if program.once_in(4) {
            let receives =
                (*program.pick(&["1", "9", "10", "11", "4294967296", "-1", ""])).to_owned();
            record
                .attributes
                .insert("ApproximateReceiveCount".to_owned(), receives);
        }
    }
    // It goes into log lines, but only SQS gives it, and an invoker who may write the logs anyway.
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
    let records = event.records.len();
    let (response, calls) =
        functions::with(|functions| (functions.process(event), functions.cloud.calls()));
    let Ok(response) = response else {
        assert!(calls.is_empty(), "{calls:?}");
        return tally.count("no message id");
    };
    // Lambda treats an id that it doesn't know, or none, as the failure of the whole batch.
    let failed = response.batch_item_failures;
    assert!(
        failed
            .iter()
            .all(|failure| ids.contains(&failure.item_identifier)),
        "{failed:?}"
    );
    assert!(failed.len() <= records);
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
