//! What every answer to a client must be, and every order that was accepted.

use crate::{
    functions::{Functions, TRACE},
    tally::Tally,
};
use events::{Client, Fingerprint, IdempotencyKey, Order, OrderPlaced};
use ingest::{request::Request, response::Response};
use serde_json::Value;

/// The most bytes of an answer: 256 faults, each with a field's name of 64 characters, escaped.
const LARGEST_ANSWER: usize = 128 * 1024;

/// A client that nothing here is issued to.
fn another() -> Client {
    Client::identified("another client")
}

/// What `ingest` and the queue did with a request is right; counts it. Nothing that the client called its own may be
/// in a log line.
pub fn place(functions: &Functions, request: Request, tally: &mut Tally) {
    let (client, key, body) = (
        request.client.clone(),
        request.idempotency_key.clone(),
        request.body.clone(),
    );
    let is_private = |text: &&str| text.len() > 4;
    let sent: Vec<_> = key.as_deref().into_iter().filter(is_private).collect();
    let response = functions.place(request, &sent);
    let calls = functions.cloud.calls();
    let answer = judge(&response, tally);
    assert_eq!(
        calls.len(),
        usize::from(response.status_code == 202),
        "{response:?} after {calls:?}"
    );
    let [(operation, message)] = &calls[..] else {
        return;
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
        (&placed.order, &placed.fingerprint),
        (&order, &Fingerprint::of(&order))
    );
    assert_eq!(placed.client, client);
    assert_eq!(message["MessageGroupId"], client.message_group());
    assert_eq!(
        message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"],
        TRACE
    );

    let id = placed.id.to_string();
    assert_eq!(answer["id"], id);
    assert_eq!(response.headers["location"], format!("orders/{id}"));
    assert_eq!(functions.ids.recognise(&client, &id), Some(placed.id));
    assert_eq!(functions.ids.recognise(&another(), &id), None);
    if let Some(key) = key {
        assert!(client.is_identified(), "an anonymous client has used a key");
        let key = IdempotencyKey::new(&key).expect("accepted, so it is valid");
        assert_eq!(functions.ids.keyed(&client, &key), placed.id);
        tally.count("202 with a key");
    }
    keeps_the_rules(&order);
}

/// The rules of the README's table, once more.
fn keeps_the_rules(order: &Order) {
    let mut total = 0_u128;
    assert!((1..=50).contains(&order.lines().len()));
    for line in order.lines() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!(
            (1..=64).contains(&line.sku().len()) && line.sku().bytes().all(allowed),
            "{line:?}"
        );
        assert!(
            (1..=1_000_000).contains(&line.quantity()) && line.unit_price() <= 1_000_000_000_000,
            "{line:?}"
        );
        total += u128::from(line.quantity()) * u128::from(line.unit_price());
    }
    assert!(
        total < 1 << 53 && u128::from(order.total()) == total,
        "{order:?}"
    );
    assert!(
        order.currency().len() == 3
            && order
                .currency()
                .bytes()
                .all(|byte| byte.is_ascii_uppercase())
    );
    let text = order.reference().unwrap_or_default();
    assert!(
        text.chars().count() <= 64 && !text.chars().any(char::is_control),
        "{text:?}"
    );
}

/// What `status` answers is right; counts it.
pub fn ask(functions: &Functions, request: &Request, tally: &mut Tally) {
    let known = functions.ids.recognise(&request.client, &request.id);
    let reads = ["GET", "HEAD"].contains(&request.method.as_str());
    let response = functions.ask(request, &[]);
    let calls = functions.cloud.calls();
    assert_eq!(
        calls.len(),
        usize::from(known.is_some() && reads),
        "{response:?} after {calls:?}"
    );
    assert_eq!(
        response.status_code == 200,
        known.is_some() && reads,
        "{response:?}"
    );
    assert_eq!(functions.ids.recognise(&another(), &request.id), None);
    if request.method == "HEAD" {
        assert!(response.body.is_empty());
        tally.count(format!("HEAD {}", response.status_code));
        return;
    }
    let answer = judge(&response, tally);
    if let (Some(id), 200) = (known, response.status_code) {
        let shown = answer["status"].as_str().expect("a status");
        // A row is shown as it is; without one, the id is the one that was asked for.
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
}

/// The answer is no 5xx, and a success or a problem as the README has them, of bounded size. Counts it.
fn judge(response: &Response, tally: &mut Tally) -> Value {
    let body = &response.body;
    assert!(body.len() <= LARGEST_ANSWER, "{} bytes", body.len());
    assert!(!body.chars().any(char::is_control), "{body:?}");
    for value in response.headers.values() {
        assert!(
            value.len() < 256 && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{response:?}"
        );
    }
    let answer: Value = serde_json::from_str(body).expect("answers are JSON");
    let status = response.status_code;
    if let 200 | 202 = status {
        assert_eq!(response.headers["content-type"], "application/json");
        tally.count(status.to_string());
        return answer;
    }
    assert!(
        [400, 404, 405, 413, 415, 422].contains(&status),
        "{response:?}"
    );
    assert_eq!(response.headers["content-type"], "application/problem+json");
    let text = |member: &str| answer[member].as_str().expect("a text");
    assert!(
        answer["status"] == status && !text("title").is_empty(),
        "{answer}"
    );
    assert!((1..300).contains(&text("detail").len()), "{answer}");
    assert_eq!(status == 405, response.headers.contains_key("allow"));
    tally.count(format!("{status} {}", text("type")));
    let faults = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(
        !faults.is_empty(),
        text("type") == "invalid-order",
        "{answer}"
    );
    assert!(faults.len() <= 256, "{} faults", faults.len());
    for fault in faults {
        let (pointer, detail) = (
            fault["pointer"].as_str(),
            fault["detail"].as_str().expect("a text"),
        );
        assert!(
            pointer.is_some_and(|pointer| pointer.is_empty() || pointer.starts_with('/')),
            "{fault}"
        );
        assert!((1..200).contains(&detail.len()), "{fault}");
        // Without what differs from case to case.
        tally.count(
            detail
                .split([',', ':'])
                .next()
                .unwrap_or_default()
                .replace(|c: char| c.is_ascii_digit(), "#"),
        );
    }
    answer
}
