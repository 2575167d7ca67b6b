//! `POST /orders/batch`: accepts up to a hundred orders, checking and answering each on its own.

use crate::{
    acceptor::{Acceptor, HEADER, has_near_miss, idempotency_key, json_body},
    gateway::{IDS, PLACED_AT},
    problem::{Details, Problem},
    request, response,
    wait::FIRST,
};
use events::{
    Client, IdempotencyKey, Order, OrderId, OrderPlaced, Timestamp,
    json::{self, optional, required},
    order::MAX_ORDER_BYTES,
    violation::{Pointer, Violations},
};
use lambda_http::{
    Body, Request, Response,
    http::{HeaderValue, StatusCode, header::LOCATION},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    collections::{HashMap, HashSet},
    time::{Instant, SystemTime},
};

/// Largest body of a batch request, in bytes: in base64, it must fit Lambda's 6 MB, too.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of orders in a batch request.
pub const MAX_ORDERS: usize = 100;
/// Maximum number of violations in the answer to a batch request, apart from one for each order: the answer must fit Lambda's
/// 6 MB, too.
const MAX_VIOLATIONS: usize = 8192;

/// The id of an order that is on the queue, or why it isn't.
type Accepted = Result<OrderId, Problem>;
/// An order with its key, or what is wrong with it.
type Checked = Result<(Order, Option<IdempotencyKey>), Problem>;

/// Checks each order of a batch request, puts the valid ones on the queue, and answers for each, in the sequence sent. Fails
/// if the request as a whole is invalid.
pub async fn accept_batch(
    acceptor: &Acceptor,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let client = request::client(&request)?;
    let checked = check(&request, &client)?;
    let placed_at = Timestamp::from(SystemTime::now());
    let trace = request::trace(&request).map(str::to_owned);
    let up = request::slashes(&request).map(|slashes| "../".repeat(1 + slashes));
    drop(request); // It may hold megabytes.
    let mut messages: Vec<OrderPlaced> = Vec::new();
    let mut first = HashMap::new();
    let to_message = |checked: Checked| {
        let (order, key) = checked?;
        let message = acceptor.message(order, key.as_ref(), client.clone(), placed_at)?;
        let id = message.id();
        let n = *first.entry(id).or_insert(messages.len());
        if let Some(first) = messages.get(n)
            && first.fingerprint() != message.fingerprint()
        {
            return Err(Problem::InvalidIdempotencyKey(
                "Another order of this request has the same key. Give each order its own.",
            ));
        }
        messages.push(message);
        Ok(id)
    };
    let mut results: Vec<Accepted> = checked.into_iter().map(to_message).collect();

    let start = Instant::now();
    let sent = acceptor
        .queue
        .send_all(&client, &messages, trace.as_deref());
    let sent = sent.await;
    if !messages.is_empty() {
        acceptor.metrics.took("QueueMilliseconds", start.elapsed());
    }
    let valid = results.iter_mut().filter(|result| result.is_ok());
    for ((result, message), sent) in valid.zip(&messages).zip(sent) {
        if let Err(error) = sent {
            tracing::error!(order_id = %message.id(), %error, "could not put the order on the queue");
            *result = Err(Problem::QueueUnavailable);
        }
    }
    let accepted = results.iter().flatten().count();
    acceptor.metrics.count("Accepted", accepted);
    acceptor
        .metrics
        .count("OrdersInBatchRequests", results.len());
    acceptor.metrics.count("BatchRequests", 1);
    let problems = results.iter().filter_map(|result| result.as_ref().err());
    problems.for_each(|problem| acceptor.metrics.refused(problem.name()));
    let mut response = answer(&results);
    if let (StatusCode::ACCEPTED, Some(up)) = (response.status(), up) {
        let mut accepted: HashSet<_> = results.iter().flatten().collect();
        let once = messages
            .iter()
            .filter(|message| accepted.remove(&message.id()));
        let order = |order: &OrderPlaced| format!("{}.{}", order.id(), order.fingerprint().short());
        let orders: Vec<_> = once.map(order).collect();
        let orders = orders.join(",");
        let location = format!("{up}orders?{IDS}={orders}&{PLACED_AT}={placed_at}");
        let location = HeaderValue::try_from(location).expect("ids, digits and a time are ASCII");
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Checks each order of a batch request. Fails if the request as a whole is invalid.
fn check(request: &Request, client: &Client) -> Result<Vec<Checked>, Problem> {
    let body = json_body(request, MAX_BATCH_BYTES)?;
    if request.headers().contains_key(HEADER) || has_near_miss(request) {
        // One key cannot serve many orders. Ignoring it would be unsafe: a client that relies on it may send its orders again.
        return Err(Problem::InvalidIdempotencyKey(
            "In a batch each order has a key of its own, as idempotency_key beside it.",
        ));
    }
    let value = json::parse(body).map_err(Problem::NotJson)?;
    let mut violations = Violations::default();
    let at = Pointer::Member(&Pointer::Root, "orders");
    let orders = json::object(value, &Pointer::Root, ["orders"], &mut violations)
        .and_then(|[orders]| required(orders, &at, &mut violations))
        .and_then(|orders| json::array(orders, &at, (1, MAX_ORDERS), &mut violations));
    let Some(orders) = orders.filter(|_| violations.is_empty()) else {
        return Err(Problem::InvalidBatch(violations.into_vec()));
    };
    let mut left = MAX_VIOLATIONS;
    let check = |(n, entry): (usize, &&RawValue)| {
        let mut checked = check_entry(entry, &Pointer::Element(&at, n), client);
        if let Err(Problem::InvalidOrder(violations)) = &mut checked {
            violations.truncate(left.max(1));
            left = left.saturating_sub(violations.len());
        }
        checked
    };
    Ok(orders.iter().enumerate().map(check).collect())
}

/// Checks the entry `at` a place in a batch request: `{"order", "idempotency_key"?}`.
fn check_entry(entry: &RawValue, at: &Pointer<'_>, client: &Client) -> Checked {
    let mut violations = Violations::default();
    let Some([order, given_key]) =
        json::object(entry, at, ["order", "idempotency_key"], &mut violations)
    else {
        return Err(Problem::InvalidOrder(violations.into_vec()));
    };
    let at_key = Pointer::Member(at, "idempotency_key");
    let key = optional(given_key).and_then(|key| json::string(key, &at_key, &mut violations));
    let key = key.map(|key| idempotency_key(client, &key)).transpose()?;
    let at_order = Pointer::Member(at, "order");
    let order = required(order, &at_order, &mut violations);
    if order.is_some_and(|order| order.get().len() > MAX_ORDER_BYTES) {
        return Err(Problem::TooLarge("order", MAX_ORDER_BYTES));
    }
    let mut violations = violations.into_vec();
    match order.map(|order| Order::from_json(order, &at_order)) {
        Some(Ok(order)) if violations.is_empty() => return Ok((order, key)),
        Some(Err(more)) => violations.extend(more),
        _ => {}
    }
    Err(Problem::InvalidOrder(violations))
}

/// Answers 202 if at least one order is on the queue. Otherwise answers with a problem that contains the results: a 5xx if any
/// order met one.
fn answer(results: &[Accepted]) -> Response<Body> {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(flatten)]
        problem: Option<Details<'a>>,
        accepted: usize,
        results: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Entry<'a> {
        Accepted { status: u16, id: OrderId },
        Problem(Details<'a>),
    }
    let entry = |result| match result {
        // An order of a batch request is answered with 202 only here, and only with an id that is on the queue.
        &Ok(id) => Entry::Accepted { status: 202, id },
        Err(problem) => Entry::Problem(Problem::details(problem)),
    };
    // Returns the problem of an order that is valid but was not accepted.
    let failure = |problem: &Problem| match problem {
        Problem::QueueUnavailable => Some(Problem::QueueUnavailable),
        Problem::NoOrderId => Some(Problem::NoOrderId),
        _ => None,
    };
    let ids: Vec<_> = results.iter().flatten().map(OrderId::to_string).collect();
    let mut problems = results.iter().filter_map(|result| result.as_ref().err());
    let problem = ids
        .is_empty()
        .then(|| problems.find_map(failure).unwrap_or(Problem::NoValidOrder));
    let body = Answer {
        problem: problem.as_ref().map(Problem::details),
        accepted: ids.len(),
        results: results.iter().map(entry).collect(),
    };
    if let Some(problem) = &problem {
        let problems = results.iter().filter_map(|result| result.as_ref().err());
        problem.log(problems.map(|problem| problem.violations().len()).sum());
        return problem.response(&body);
    }
    tracing::info!(
        order_ids = ids.join(" "),
        refused = results.len() - ids.len(),
        "accepted the orders of a batch request"
    );
    let response = response::json(StatusCode::ACCEPTED, "application/json", &body);
    response::ask_later(response, FIRST)
}
