//! A whole event from a gateway, for `ingest` and for `status`.

use crate::{answers, functions, json::Json, program::Program, samples, tally::Tally};
use ingest::gateway::Event;

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 9] = [
    "202",
    "202 with a key",
    "400 about:blank",
    "404 about:blank",
    "405 about:blank",
    "415 about:blank",
    "422 invalid-order",
    "200 queued",
    "no event",
];

/// The parts of an event that a client chooses, as text.
const CLIENTS: [&str; 7] = [
    "headers",
    "multiValueHeaders",
    "body",
    "path",
    "rawPath",
    "rawQueryString",
    "pathParameters",
];
/// Values that an authorizer's author, a client's token or the gateway may add, and that no function needs.
const BESIDE: [&str; 9] = [
    "\"A \\ud83d\"",
    "{\"\\udc00\":\"\\ud800\\ud800\"}",
    "1e999",
    "-1E+999",
    "null",
    "[null,{}]",
    "{\"claims\":7,\"lambda\":[]}",
    "true",
    "\"\"",
];
/// The objects of an event that may have undocumented members.
const OPEN: [&[&str]; 6] = [
    &[],
    &["requestContext"],
    &["requestContext", "identity"],
    &["requestContext", "authorizer"],
    &["requestContext", "authorizer", "jwt"],
    &["requestContext", "authorizer", "jwt", "claims"],
];
/// The methods that a gateway passes on.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Invokes a function with the event that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let accepts = program.once_in(2);
    let samples = if accepts {
        &samples::PLACE
    } else {
        &samples::STATUS
    };
    let mut event = Json::from(program.pick(samples));
    for _ in 0..program.below(3) {
        let path = *program.pick(&OPEN);
        let mut part = Some(&mut event);
        for name in path {
            part = part.and_then(|part| part.member(name));
        }
        if let Some(part) = part {
            let value = if program.once_in(8) {
                "[".repeat(30_000) + &"]".repeat(30_000)
            } else {
                (*program.pick(&BESIDE)).to_owned()
            };
            part.give(format!("x{}", program.text()), Json::Raw(value));
        }
    }
    let by_client = program.once_in(2);
    if by_client {
        for _ in 0..program.below(4) {
            if let Some(part) = event.member(CLIENTS[program.below(CLIENTS.len())]) {
                part.rewrite(&mut program);
            }
        }
        if program.once_in(4)
            && let Some(method) = event.member("httpMethod")
        {
            *method = Json::Text((*program.pick(&METHODS)).to_owned());
        }
    } else {
        event.mutate(&mut program);
    }
    let event = match serde_json::from_str::<Event>(&event.to_string()) {
        Ok(event) => event,
        // No client can cause that, only a gateway that sends undocumented events.
        Err(error) => {
            assert!(!by_client, "{error}: {event}");
            return tally.count("no event");
        }
    };
    functions::with(|functions| {
        if accepts {
            answers::accept(functions, event, tally);
        } else {
            functions.cloud.set_row(None);
            answers::ask(functions, event, "", tally);
        }
    });
}
