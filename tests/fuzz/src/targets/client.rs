//! The client of a request, from what a gateway reports about its caller: two callers are two clients, and with an authorizer
//! no caller stays anonymous.

use crate::{answers, functions, program::Program, samples, tally::Tally};
use events::Client;
use serde_json::{Value, json};
use std::{cell::RefCell, collections::HashMap};

/// The results that a few hundred programs reach.
pub const REACHES: [&str; 3] = ["202", "403 about:blank", "anonymous"];

/// Makes a request's context from a name and the issuer of that name.
type Members = fn(&[String; 2]) -> Value;

/// The ways to identify a caller, each with the members of the context that hold it.
const KINDS: [(&str, Members); 12] = [
    (
        "principal",
        |[name, _]| json!({"authorizer": {"principalId": name}}),
    ),
    (
        "principal",
        |[name, _]| json!({"authorizer": {"lambda": {"principalId": name}}}),
    ),
    (
        "subject",
        |[name, by]| json!({"authorizer": {"jwt": {"claims": {"sub": name, "iss": by}}}}),
    ),
    (
        "subject",
        |[name, by]| json!({"authorizer": {"claims": {"sub": name, "iss": by, "azp": "x"}}}),
    ),
    (
        "oauth",
        |[name, by]| json!({"authorizer": {"jwt": {"claims": {"client_id": name, "iss": by}}}}),
    ),
    (
        "oauth",
        |[name, by]| json!({"authorizer": {"claims": {"azp": name, "iss": by}}}),
    ),
    (
        "iam",
        |[name, _]| json!({"authorizer": {"iam": {"userArn": name, "userId": "AIDA"}}}),
    ),
    (
        "iam",
        |[name, _]| json!({"identity": {"userArn": name, "apiKeyId": "key"}}),
    ),
    (
        "cognito",
        |[name, _]| json!({"identity": {"cognitoIdentityId": name, "userArn": "arn"}}),
    ),
    (
        "cognito",
        |[name, _]| json!({"authorizer": {"iam": {"userArn": "arn", "cognitoIdentity": {"identityId": name}}}}),
    ),
    (
        "certificate",
        |[name, by]| json!({"identity": {"clientCert": {"subjectDN": name, "issuerDN": by}}}),
    ),
    ("key", |[name, _]| json!({"identity": {"apiKeyId": name}})),
];
const NAMES: [&str; 13] = [
    "ann",
    "k1",
    "anonymous",
    "principal:ann",
    "iam:ann",
    "[\"a\",\"ann\"]",
    "subject:[\"a\",\"ann\"]",
    "sha256:00",
    "api-key:ann",
    "arn:aws:sts::1:assumed-role/shop/a",
    "arn:aws:sts::1:assumed-role/shop/b",
    "AROA1:a",
    "",
];

thread_local! {
    /// The caller that stands behind each client.
    static CALLERS: RefCell<HashMap<Client, String>> = RefCell::default();
}

/// Places an order as the caller that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let (kind, members) = *program.pick(&KINDS);
    let names = [name(&mut program), name(&mut program)];
    let mut context = members(&names);
    let is_pair = ["subject", "oauth", "certificate"].contains(&kind);
    let name = match &*names[0] {
        arn if kind == "iam" && arn.starts_with("arn:aws:sts::1:assumed-role/shop/") => "shop",
        id if kind == "iam" && id.starts_with("AROA1:") => "AROA1",
        name => name,
    };
    let caller = format!("{kind} {name:?} {:?}", is_pair.then_some(&names[1]));
    let mut is_named = !names[0].trim().is_empty();
    let by_authorizer = context.get("authorizer").is_some();
    let is_blank_arn = kind == "iam" && by_authorizer && !is_named;
    if program.once_in(8) && by_authorizer {
        context["authorizer"] = json!({"tenant": names[0]});
        is_named = false;
    } else if is_blank_arn || (kind == "cognito" && !is_named) || kind == "subject" && !is_named {
        return; // Identified by something else, as the table shows.
    }
    // The event of a REST API or of an HTTP API.
    let mut event = samples::PLACE[2 * program.below(2)].clone();
    for member in ["authorizer", "identity"] {
        event["requestContext"][member] = context[member].take();
    }
    functions::with(|functions| {
        let placed = answers::accept(functions, functions::read(&event), tally);
        let Some(placed) = placed else {
            assert!(by_authorizer && !is_named, "{event}");
            return;
        };
        let client = placed.client().clone();
        if !client.is_identified() {
            assert!(!by_authorizer && !is_named, "{event}");
            return tally.count("anonymous");
        }
        if kind == "iam" && !is_named {
            return; // Identified by the API key.
        }
        CALLERS.with_borrow_mut(|callers| {
            let known = callers.entry(client).or_insert_with(|| caller.clone());
            assert_eq!(*known, caller, "two callers are one client");
        });
    });
}

fn name(program: &mut Program<'_>) -> String {
    if program.once_in(2) {
        program.text()
    } else {
        (*program.pick(&NAMES)).to_owned()
    }
}
