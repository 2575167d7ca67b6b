//! `POST /orders/batch`: up to a hundred orders, each judged, put on the queue and answered on its own.

use crate::{
    place::{Intake, json_body, key},
    problem::{self, Problem},
    request::Request,
    response::Response,
};
use events::{
    Client, IdempotencyKey, Order, OrderId,
    json::{self, required},
    order::MAX_ORDER_BYTES,
    violation::{Pointer, Violations},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::SystemTime;

/// The largest body of a batch, in bytes: it has to fit Lambda's 6 MB in base64, too.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The most orders of a batch.
pub const MAX_ORDERS: usize = 100;
/// The most violations that a batch is answered with, besides one for each order: that has to fit Lambda's 6 MB, too.
const MAX_VIOLATIONS: usize = 8192;

/// What becomes of an order: its id is on the queue, or there is a problem.
type Outcome = Result<OrderId, Problem>;

impl Intake {
    /// Answers a batch.
    pub(crate) async fn handle_batch(&self, request: Request, trace: Option<&str>) -> Response {
        match self.place_batch(request, trace).await {
            Ok(outcomes) => answer(&outcomes),
            Err(problem) => problem.into(),
        }
    }

    /// Gives each order's outcome, in the order sent. Fails for what is wrong with the batch as a whole.
    async fn place_batch(
        &self,
        request: Request,
        trace: Option<&str>,
    ) -> Result<Vec<Outcome>, Problem> {
        let (judged, placed_at) = (judge(&request)?, SystemTime::now().into());
        let client = request.client.clone();
        drop(request); // Megabytes.
        let mut orders = Vec::new();
        let accept = |judged: Judged| {
            let (order, key) = judged?;
            let placed = self.accept(order, key.as_ref(), client.clone(), placed_at)?;
            let id = placed.id();
            orders.push(placed);
            Ok(id)
        };
        let mut outcomes: Vec<Outcome> = judged.into_iter().map(accept).collect();

        let sent = self.queue.send_all(&orders, trace).await;
        let accepted = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
        for ((outcome, placed), sent) in accepted.zip(&orders).zip(sent) {
            if let Err(error) = sent {
                tracing::error!(order_id = %placed.id(), %error, "not queued");
                *outcome = Err(Problem::QueueUnavailable);
            }
        }
        Ok(outcomes)
    }
}

/// An order with its key, or what is wrong with it.
type Judged = Result<(Order, Option<IdempotencyKey>), Problem>;

/// Judges each order of a batch. Fails for what is wrong with the batch as a whole.
fn judge(request: &Request) -> Result<Vec<Judged>, Problem> {
    let body = json_body(request, MAX_BATCH_BYTES)?;
    if request.idempotency_key.is_some() {
        // One for all of them it cannot be, and a client that counts on it must not send its orders twice.
        return Err(Problem::InvalidIdempotencyKey(
            "In a batch each order has a key of its own, as idempotency_key beside it.",
        ));
    }
    let value = json::parse(body).map_err(Problem::NotJson)?;
    let mut violations = Violations::default();
    let place = Pointer::Member(&Pointer::Root, "orders");
    let orders = json::object(value, &Pointer::Root, ["orders"], &mut violations)
        .and_then(|[orders]| required(orders, &place, &mut violations))
        .and_then(|orders| json::array(orders, &place, (1, MAX_ORDERS), &mut violations));
    let Some(orders) = orders.filter(|_| violations.is_empty()) else {
        return Err(Problem::InvalidBatch(violations.into_vec()));
    };
    let mut left = MAX_VIOLATIONS;
    let judge = |(n, entry): (usize, &&RawValue)| {
        let mut judged = judge_entry(entry, &Pointer::Element(&place, n), &request.client);
        if let Err(Problem::InvalidOrder(violations)) = &mut judged {
            violations.truncate(left.max(1));
            left = left.saturating_sub(violations.len());
        }
        judged
    };
    Ok(orders.iter().enumerate().map(judge).collect())
}

/// Judges what stands `at` a place of the batch: `{"order", "idempotency_key"?}`.
fn judge_entry(entry: &RawValue, at: &Pointer<'_>, client: &Client) -> Judged {
    let mut violations = Violations::default();
    let Some([order, given_key]) =
        json::object(entry, at, ["order", "idempotency_key"], &mut violations)
    else {
        return Err(Problem::InvalidOrder(violations.into_vec()));
    };
    let place = Pointer::Member(at, "idempotency_key");
    let given_key = given_key.and_then(|key| json::string(key, &place, &mut violations));
    let key = key(client, given_key.as_deref())?;
    let place = Pointer::Member(at, "order");
    let order = required(order, &place, &mut violations);
    if order.is_some_and(|order| order.get().len() > MAX_ORDER_BYTES) {
        return Err(Problem::TooLarge("order", MAX_ORDER_BYTES));
    }
    let mut violations = violations.into_vec();
    match order.map(|order| Order::from_json(order, &place)) {
        Some(Ok(order)) if violations.is_empty() => return Ok((order, key)),
        Some(Err(more)) => violations.extend(more),
        _ => {}
    }
    Err(Problem::InvalidOrder(violations))
}

/// 202 when an order is on the queue; else a problem, of the queue's if that refused one, with the results in it.
fn answer(outcomes: &[Outcome]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        problem: Option<problem::Body<'a>>,
        accepted: usize,
        results: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Entry<'a> {
        Queued { status: u16, id: OrderId },
        Refused(problem::Body<'a>),
    }
    let entry = |outcome| match outcome {
        // Only here is an order of a batch answered with 202, and only with an id that `place_batch` has on the queue.
        &Ok(id) => Entry::Queued { status: 202, id },
        Err(problem) => Entry::Refused(Problem::body(problem)),
    };
    let ids = outcomes.iter().flatten().map(OrderId::to_string);
    let ids: Vec<_> = ids.collect();
    let refused = |outcome: &Outcome| matches!(outcome, Err(Problem::QueueUnavailable));
    let problem = if !ids.is_empty() {
        tracing::info!(order_ids = ids.join(" "), "queued");
        None
    } else if outcomes.iter().any(refused) {
        Some(Problem::QueueUnavailable)
    } else {
        Some(Problem::NoValidOrder)
    };
    let body = Body {
        problem: problem.as_ref().map(Problem::body),
        accepted: ids.len(),
        results: outcomes.iter().map(entry).collect(),
    };
    match &problem {
        None => Response::json(202, "application/json", &body).with("retry-after", "2"),
        Some(problem) => problem.response(&body),
    }
}
