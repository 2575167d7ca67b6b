//! The headers of `POST /orders`: the content type and the idempotency key, however often and in whatever case.

use crate::{answers, functions, program::Program, samples, tally::Tally};
use serde_json::{Map, Value};

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 4] = [
    "202",
    "202 with a key",
    "415 about:blank",
    "422 invalid-idempotency-key",
];

const NAMES: [&str; 6] = [
    "content-type",
    "Content-Type",
    "CONTENT-TYPE",
    "idempotency-key",
    "Idempotency-Key",
    "Idempotency-Keys",
];
const VALUES: [&str; 6] = [
    "application/json",
    "application/json; charset=utf-8",
    " Application/JSON ;",
    "text/plain",
    "basket-1",
    "",
];

/// Sends an order under the headers that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    // A REST API's, an HTTP API's or a Function URL's; of a client that is known, or anonymous.
    let mut event = samples::PLACE[program.below(4)].clone();
    if program.once_in(4) {
        event["requestContext"]["authorizer"] = Value::Null;
        event["requestContext"]["identity"] = Value::Null;
    }
    let mut headers = Map::new();
    if !program.once_in(4) {
        headers.insert("Content-Type".to_owned(), VALUES[program.below(2)].into());
    }
    for _ in 0..program.below(4) {
        let name = if program.once_in(8) {
            program.text()
        } else {
            (*program.pick(&NAMES)).to_owned()
        };
        headers.insert(name, value(&mut program));
    }
    // Several values of one name are a list in a REST API's events, and one text elsewhere.
    if program.once_in(2) {
        event["headers"] = headers.into();
        event["multiValueHeaders"] = Value::Null;
    } else {
        for first in headers.values_mut() {
            let mut values = vec![first.take()];
            values.extend((0..program.below(3)).map(|_| value(&mut program)));
            *first = values.into();
        }
        event["multiValueHeaders"] = headers.into();
    }
    functions::with(|functions| answers::accept(functions, functions::read(&event), tally));
}

fn value(program: &mut Program<'_>) -> Value {
    if program.once_in(2) {
        program.text().into()
    } else {
        (*program.pick(&VALUES)).into()
    }
}
