//! Checks every answer to a client, and every accepted order.

use crate::{
    functions::{Answer, Asked, Functions, TRACE},
    tally::Tally,
};
use events::{
    Client, Fingerprint, IdempotencyKey, Order, OrderId, OrderPlaced, openapi::JSON, order::kit,
};
use ingest::gateway::Event;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The maximum size of an answer: 256 violations, each with a field's name of 64 characters, escaped.
const LARGEST_ANSWER: usize = 128 * 1024;

/// The maximum size of an answer to a batch request: it must fit Lambda's 6 MB.
const LARGEST_BATCH_ANSWER: usize = 6_000_000;

/// A client to which no id here is issued.
fn another() -> Client {
    Client::identified("another client")
}

/// Checks what `ingest` and the queue do with an event, and counts it. Returns the message of an accepted order.
pub fn accept(functions: &Functions, event: Event, tally: &mut Tally) -> Option<OrderPlaced> {
    let (asked, response) = functions.ingest(event);
    let Asked {
        client, keys, body, ..
    } = asked;
    let calls = functions.cloud.calls();
    let answer = judge(&response, tally);
    assert_eq!(
        calls.len(),
        usize::from(response.status_code == 202),
        "{response:?} after {calls:?}"
    );
    // Methods that the path doesn't allow are refused first.
    assert!(
        client.is_none() || response.status_code != 403,
        "{response:?}"
    );
    assert!(
        client.is_some() || matches!(response.status_code, 403 | 405),
        "{response:?}"
    );
    let ([(operation, message)], Some(client)) = (&calls[..], client) else {
        return None;
    };
    assert_eq!(operation, "SendMessage");

    let text = message["MessageBody"].as_str().expect("a body");
    let placed = OrderPlaced::from_json(text).expect("what is sent can be read");
    let order = Order::parse(&body.expect("there was one")).expect("what is accepted is an order");
    assert_eq!(
        placed.to_json(),
        text,
        "reading and writing changes the message"
    );
    assert_eq!(
        (placed.order(), placed.fingerprint()),
        (&order, &Fingerprint::of(&order))
    );
    assert_eq!(*placed.client(), client);
    assert_eq!(message["MessageGroupId"], client.message_group());
    assert_eq!(
        message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"],
        TRACE
    );

    let id = placed.id().to_string();
    assert_eq!(answer["id"], id);
    if let Some(location) = response.headers.get("location") {
        let to = location.trim_start_matches("../");
        let (placed_at, fingerprint) = (placed.placed_at(), placed.fingerprint().short());
        let expected = format!("{id}?placed_at={placed_at}&fingerprint={fingerprint}");
        assert_eq!(to.trim_start_matches("orders/"), expected, "{location}");
    }
    assert!(functions.ids.recognise(&client, placed.id()));
    assert!(!functions.ids.recognise(&another(), placed.id()));
    assert!(keys.len() < 2, "one of {keys:?} was taken");
    if let Some(key) = keys.first() {
        assert!(client.is_identified(), "an anonymous client has used a key");
        let key = IdempotencyKey::new(key).expect("accepted, so it is valid");
        assert_eq!(functions.ids.keyed(&client, &key), placed.id());
        tally.count("202 with a key");
    }
    kit::check(&order);
    Some(placed)
}

/// Checks `status`'s answer, and counts it. Returns what `status` was asked. The table's row, if there is one, belongs to
/// `owner`.
pub fn ask(functions: &Functions, event: Event, owner: &str, tally: &mut Tally) -> Asked {
    let (asked, response) = functions.status(event);
    let client = asked.client.as_ref();
    let id = OrderId::parse(&asked.id);
    let reads = ["GET", "HEAD"].contains(&asked.method.as_str());
    let calls = functions.cloud.calls();
    assert_eq!(
        calls.len(),
        usize::from(client.is_some() && id.is_some() && reads),
        "{response:?} after {calls:?}"
    );
    // This answer is the API's description.
    if response.headers["cache-control"] != "no-store" {
        assert_eq!(response.status_code, 200);
        assert!(reads && (response.body == JSON || asked.method == "HEAD"));
        tally.count("the description");
        return asked;
    }
    // A row shows whose it is; without a row, the id does.
    let is_own = |id| match functions.cloud.row() {
        Some(_) => client.is_some_and(|client| client.as_str() == owner),
        None => client.is_some_and(|client| functions.ids.recognise(client, id)),
    };
    assert_eq!(
        response.status_code == 200,
        id.is_some_and(is_own) && reads,
        "{response:?}"
    );
    assert!(id.is_none_or(|id| !functions.ids.recognise(&another(), id)));
    if asked.method == "HEAD" {
        assert!(response.body.is_empty());
        tally.count(format!("HEAD {}", response.status_code));
        return asked;
    }
    let answer = judge(&response, tally);
    if let (Some(id), 200) = (id, response.status_code) {
        let shown = answer["status"].as_str().expect("a status");
        // A row is returned as it is; without one, the id is the one that was asked for.
        assert!(
            shown != "queued" || answer["id"] == id.to_string(),
            "{answer}"
        );
        assert!(
            answer.get("client").is_none() && answer.get("fingerprint").is_none(),
            "{answer}"
        );
        tally.count(format!("200 {shown}"));
    }
    asked
}

/// Does the same for a batch request, with each of its orders.
pub fn accept_batch(functions: &Functions, event: Event, tally: &mut Tally) {
    let (Asked { client, .. }, response) = functions.ingest(event);
    let calls = functions.cloud.calls();
    let answer = form(&response, LARGEST_BATCH_ANSWER);
    let status = response.status_code;
    tally.count(match answer["type"].as_str() {
        Some(kind) => format!("{status} {kind}"),
        None => status.to_string(),
    });
    let mut sent = calls.iter().flat_map(|(operation, call)| {
        assert_eq!(operation, "SendMessageBatch");
        call["Entries"].as_array().expect("entries")
    });
    let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(client.is_none(), status == 403);
    let (mut ids, mut accepted) = (HashMap::new(), 0);
    for result in results {
        if result["status"] != 202 {
            judge_problem(result, tally, "one is ");
            continue;
        }
        tally.count("one is 202");
        // SQS refuses nothing here, so the orders are sent in sequence.
        let message = sent.next().expect("what is answered 202 is sent");
        let text = message["MessageBody"].as_str().expect("a body");
        let placed = OrderPlaced::from_json(text).expect("what is sent can be read");
        let id = placed.id().to_string();
        assert_eq!(*result, json!({"status": 202, "id": id}));
        let client = client.as_ref().expect("a client");
        assert_eq!(placed.client(), client);
        assert!(functions.ids.recognise(client, placed.id()));
        kit::check(placed.order());
        let fingerprint = placed.fingerprint().clone();
        if let Some(first) = ids.insert(id, fingerprint.clone()) {
            assert_eq!(first, fingerprint, "one key for two orders");
            tally.count("one key twice");
        }
        accepted += 1;
    }
    assert!(sent.next().is_none(), "more is sent than accepted");
    assert_eq!(status == 202, accepted > 0, "{answer}");
    if status == 202 || !results.is_empty() {
        assert!((1..=100).contains(&results.len()));
        assert_eq!(answer["accepted"], accepted);
    } else {
        for fault in faults(&answer) {
            judge_fault(fault, tally);
        }
    }
}

/// Checks that the answer isn't a 5xx, but a success or a problem from the README, of bounded size. Counts it.
fn judge(response: &Answer, tally: &mut Tally) -> Value {
    let answer = form(response, LARGEST_ANSWER);
    let status = response.status_code;
    if let 200 | 202 = status {
        tally.count(status.to_string());
    } else {
        assert_eq!(answer["status"], status, "{answer}");
        judge_problem(&answer, tally, "");
    }
    answer
}

/// Checks that the answer is JSON, of at most this size, and safe for a terminal.
fn form(response: &Answer, most: usize) -> Value {
    let body = &response.body;
    assert!(body.len() <= most, "{} bytes", body.len());
    assert!(!body.chars().any(char::is_control), "{body:?}");
    for (name, value) in &response.headers {
        // A batch request's location has the ids and fingerprints of its orders.
        let most = if name == "location" { 5120 } else { 256 };
        assert!(
            value.len() < most && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{response:?}"
        );
    }
    let status = response.status_code;
    let kind = match status {
        200 | 202 => "application/json",
        400 | 403 | 404 | 405 | 413 | 415 | 422 => "application/problem+json",
        _ => panic!("{response:?}"),
    };
    assert_eq!(response.headers["content-type"], kind);
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(status == 405, response.headers.contains_key("allow"));
    serde_json::from_str(body).expect("answers are JSON")
}

/// Checks that a problem is complete and bounded. Counts it, and the violations in it.
fn judge_problem(problem: &Value, tally: &mut Tally, prefix: &str) {
    let text = |member: &str| problem[member].as_str().expect("a text");
    assert!(!text("title").is_empty(), "{problem}");
    assert!((1..300).contains(&text("detail").len()), "{problem}");
    tally.count(format!("{prefix}{} {}", problem["status"], text("type")));
    let faults = faults(problem);
    assert_eq!(
        !faults.is_empty(),
        text("type") == "invalid-order",
        "{problem}"
    );
    for fault in faults {
        judge_fault(fault, tally);
    }
}

fn faults(problem: &Value) -> &[Value] {
    let faults = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(faults.len() <= 256, "{} faults", faults.len());
    faults
}

fn judge_fault(fault: &Value, tally: &mut Tally) {
    let (pointer, detail) = (
        fault["pointer"].as_str(),
        fault["detail"].as_str().expect("a text"),
    );
    assert!(
        pointer.is_some_and(|pointer| pointer.is_empty() || pointer.starts_with('/')),
        "{fault}"
    );
    assert!((1..200).contains(&detail.len()), "{fault}");
    // Leaves out what differs from case to case.
    tally.count(
        detail
            .split([',', ':'])
            .next()
            .unwrap_or_default()
            .replace(|c: char| c.is_ascii_digit(), "#"),
    );
}
