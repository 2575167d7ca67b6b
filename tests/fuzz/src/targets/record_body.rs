//! The body of one message on the queue: it becomes an order or is left alone, and its neighbours are processed.

use crate::{functions, json, program::Program, samples, tally::Tally};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use events::{OrderPlaced, placed::NotAnOrderPlaced};
use serde_json::Value;
use std::collections::BTreeSet;

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 6] = [
    "an order",
    "a duplicate",
    "refused by the table",
    "malformed",
    "another type",
    "another version",
];

/// Processes a batch with the body that this program makes, between two good ones.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let body = json::document(&samples::MESSAGES, &mut program);
    let Ok(body) = String::from_utf8(body) else {
        return; // SQS accepts no other body.
    };
    let good: Vec<_> = samples::MESSAGES[1..3]
        .iter()
        .map(Value::to_string)
        .collect();
    let mut event = SqsEvent::default();
    event.records = [&good[0], &body, &good[1]]
        .into_iter()
        .zip(["1", "2", "3"])
        .map(message)
        .collect();
    let (failed, put) = functions::with(|functions| {
        let response = functions.process(event).expect("each record has an id");
        let failed: Vec<_> = response
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect();
        (failed, put(&functions.cloud.calls()))
    });
    // A message with the id and the fingerprint of another order is that order's, and shares its fate.
    let read = OrderPlaced::from_json(&body);
    let placed = good
        .iter()
        .map(|good| OrderPlaced::from_json(good).expect("good"));
    let placed: Vec<_> = placed.zip(["1", "3"]).collect();
    let is_same = |good: &OrderPlaced| {
        let of = |one: &OrderPlaced| (one.id(), one.fingerprint().clone());
        read.as_ref().is_ok_and(|read| of(read) == of(good))
    };
    let mut same: Vec<_> = placed
        .iter()
        .filter(|(good, _)| is_same(good))
        .map(|(_, record)| *record)
        .collect();
    for (good, record) in &placed {
        let good = good.id();
        assert!(
            same.contains(record) || put.contains(&good.to_string()),
            "{put:?} lacks {good}: {body}"
        );
    }
    let outcome = match read {
        Err(error) => {
            assert_eq!(failed, ["2"], "{body}");
            let text = error.to_string();
            assert!(text.len() < 100, "{text}");
            match error {
                NotAnOrderPlaced::Malformed(_) => "malformed",
                NotAnOrderPlaced::Type => "another type",
                NotAnOrderPlaced::Version(_) => "another version",
            }
        }
        Ok(placed) if failed.is_empty() => {
            assert!(
                put.contains(&placed.id().to_string()),
                "{put:?} lacks {placed:?}"
            );
            if same.is_empty() {
                "an order"
            } else {
                "a duplicate"
            }
        }
        Ok(_) => {
            same.push("2");
            same.sort_unstable();
            assert_eq!(failed, same, "{body}");
            "refused by the table"
        }
    };
    tally.count(outcome);
}

fn message((body, id): (&String, &str)) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(id.to_owned());
    message.receipt_handle = Some(format!("receipt {id}"));
    message.body = Some(body.clone());
    message
}

/// The ids of the rows that were put.
pub fn put(calls: &[(String, Value)]) -> BTreeSet<String> {
    let transactions = calls
        .iter()
        .filter_map(|(_, request)| request["TransactItems"].as_array());
    let ids = transactions
        .flatten()
        .filter_map(|action| action["Put"]["Item"]["id"]["S"].as_str());
    ids.map(str::to_owned).collect()
}
