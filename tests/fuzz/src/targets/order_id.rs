//! The id in `GET /orders/{id}`: only the one that was issued to this client is recognised.

use crate::{answers, functions, program::Program, samples, tally::Tally};
use events::{Client, IdempotencyKey, OrderId, Outcome};
use serde_json::{Value, json};

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 6] = [
    "200 queued",
    "200 confirmed",
    "404 about:blank",
    "405 about:blank",
    "HEAD 200",
    "HEAD 404",
];

const METHODS: [&str; 8] = ["GET", "GET", "GET", "GET", "GET", "HEAD", "POST", "get"];

/// Asks for the id that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    functions::with(|functions| {
        let owner = Client::identified(if program.once_in(4) { "ben" } else { "ann" });
        let issued = if program.once_in(2) {
            let key = IdempotencyKey::new(&format!("key-{}", program.byte())).expect("a key");
            functions.ids.keyed(&owner, &key)
        } else {
            functions
                .ids
                .fresh(&owner, std::array::from_fn(|_| program.byte()))
        };
        let mut id = issued.to_string();
        match program.below(8) {
            0..3 => {}
            3 => id = id.to_uppercase(),
            4 => id = id.replace('-', ""),
            5 => {
                let (place, bit) = (program.below(id.len()), program.below(7));
                let mut bytes = id.into_bytes();
                bytes[place] ^= 1 << bit;
                id = String::from_utf8(bytes).expect("still ASCII");
            }
            6 => id = format!("urn:uuid:{id}"),
            _ => id = program.text(),
        }
        let mut event = samples::STATUS[0].clone();
        event["requestContext"]["identity"]["apiKeyId"] = "ann".into();
        event["httpMethod"] = (*program.pick(&METHODS)).into();
        event["pathParameters"]["id"] = id.clone().into();
        if program.once_in(4) {
            event["pathParameters"] = Value::Null;
            event["path"] = format!("/orders/{id}").into();
        }
        let row_of = if program.once_in(4) { "ben" } else { "ann" };
        functions
            .cloud
            .set_row(program.once_in(2).then(|| row(row_of, &mut program)));
        let asked = answers::ask(functions, functions::read(&event), row_of, tally);
        let client = asked.client.as_ref().expect("the samples name one");
        let id = OrderId::parse(&asked.id);
        let known = id.is_some_and(|id| functions.ids.recognise(client, id));
        let own = owner.as_str() == "ann" && asked.id.eq_ignore_ascii_case(&issued.to_string());
        assert_eq!(
            known, own,
            "{:?} of {owner:?}, when {issued} was issued",
            asked.id
        );
    });
}

/// The samples' row, for this client, with any outcome.
fn row(client: &str, program: &mut Program<'_>) -> Value {
    let mut row = samples::ROW.clone();
    row["client"] = json!({"S": client});
    let outcome = program.pick(&[
        Outcome::Confirmed,
        Outcome::TOO_LITTLE,
        Outcome::MISSING,
        Outcome::Failed,
    ]);
    row["status"] = json!({"S": outcome.status()});
    if let Outcome::Rejected(reason) = outcome {
        row["reason"] = json!({"S": reason});
    }
    row
}
