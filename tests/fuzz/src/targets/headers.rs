//! The headers of `POST /orders`: the content type and the idempotency key, repeated, and in any letter case.

use crate::{answers, functions, program::Program, samples, tally::Tally};
use events::IdempotencyKey;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

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

/// Sends an order with the headers that this program makes: in both maps of a REST API's event, which may disagree, or joined
/// by commas, as other gateways do.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    // The event of a REST API, an HTTP API or a Function URL, from an identified or an anonymous client.
    let mut event = samples::PLACE[program.below(4)].clone();
    let is_rest = event.get("httpMethod").is_some();
    if program.once_in(4) {
        event["requestContext"]["authorizer"] = Value::Null;
        event["requestContext"]["identity"] = Value::Null;
    }
    let (mut one, mut many) = (Map::new(), Map::new());
    if !program.once_in(4) {
        one.insert("Content-Type".to_owned(), VALUES[program.below(2)].into());
    }
    for _ in 0..program.below(5) {
        let name = if program.once_in(8) {
            program.text()
        } else {
            (*program.pick(&NAMES)).to_owned()
        };
        let mut values = vec![value(&mut program)];
        for _ in 0..program.below(3) {
            // Often repeats the same key, as a proxy or a client's library does.
            let again = program.once_in(2);
            values.push(if again {
                values[0].clone()
            } else {
                value(&mut program)
            });
        }
        if !is_rest {
            one.insert(name, values.join(",").into());
            continue;
        }
        match program.below(4) {
            0 => drop(one.insert(name, values.pop().into())),
            1 => drop(many.insert(name, values.into())),
            2 => {
                one.insert(name.clone(), values.last().cloned().into());
                many.insert(name, values.into());
            }
            _ => {
                one.insert(name.to_uppercase(), values.pop().into());
                many.insert(name, values.into());
            }
        }
    }
    let keys = keys(is_rest, &one, &many);
    (event["headers"], event["multiValueHeaders"]) = (one.into(), many.into());
    if program.once_in(8) {
        event["multiValueHeaders"] = Value::Null;
    }
    functions::with(|functions| {
        let placed = answers::accept(functions, functions::read(&event), tally);
        let Some(placed) = placed else { return };
        if event["multiValueHeaders"].is_null() && is_rest {
            return; // Its keys are gone.
        }
        // Checked independently of `ingest`: one distinct key, however often it is repeated, or none.
        assert!(keys.len() < 2, "one of {keys:?} was taken: {event}");
        let key = keys
            .first()
            .map(|key| IdempotencyKey::new(key).expect("accepted"));
        let keyed = key.map(|key| functions.ids.keyed(placed.client(), &key));
        assert!(keyed.is_none_or(|id| id == placed.id()), "{event}");
    });
}

/// The idempotency keys that were sent.
fn keys(is_rest: bool, one: &Map<String, Value>, many: &Map<String, Value>) -> BTreeSet<String> {
    let is_key = |name: &&String| name.eq_ignore_ascii_case("idempotency-key");
    let values = [one, many].into_iter().flatten();
    let values = values
        .filter(|(name, _)| is_key(name))
        .flat_map(|(_, value)| match value {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        });
    let texts = values.filter_map(|value| Some(value.as_str()?.to_owned()));
    let split = |text: String| -> Vec<String> {
        let parts: BTreeSet<_> = text.split(',').map(str::trim).collect();
        if is_rest && (parts.len() > 1 || !text.contains(',')) {
            return vec![text];
        }
        parts.into_iter().map(str::to_owned).collect()
    };
    texts.flat_map(split).collect()
}

fn value(program: &mut Program<'_>) -> String {
    if program.once_in(2) {
        program.text()
    } else {
        (*program.pick(&VALUES)).to_owned()
    }
}
