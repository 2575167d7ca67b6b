//! `POST /orders`: an order is checked, put on the queue, and answered.

use crate::{problem::Problem, queue::OrderQueue, request::Request, response::Response};
use events::{
    Client, Fingerprint, IdempotencyKey, Order, OrderId, OrderIds, OrderPlaced, Timestamp,
    order::{MAX_ORDER_BYTES, NotAnOrder},
};
use std::time::SystemTime;

/// Takes orders in.
#[derive(Debug)]
pub struct Intake {
    ids: OrderIds,
    queue: OrderQueue,
}

impl Intake {
    /// Issues ids from `ids`, and puts orders on `queue`.
    pub fn new(ids: OrderIds, queue: OrderQueue) -> Intake {
        Intake { ids, queue }
    }

    /// Answers a request. `trace` is the X-Ray header, passed on with the message.
    pub async fn handle(&self, request: Request, trace: Option<&str>) -> Response {
        match self.place(request, trace).await {
            // Only here is an order answered with 202, and only with an id that `place` has on the queue.
            Ok(id) => Response::queued(202, id).with("location", format!("orders/{id}")),
            Err(problem) => problem.into(),
        }
    }

    async fn place(&self, request: Request, trace: Option<&str>) -> Result<OrderId, Problem> {
        let (order, key) = check(&request)?;
        let id = self.id(&request.client, key.as_ref())?;
        let placed_at = Timestamp::try_from(SystemTime::now()).map_err(|error| {
            tracing::error!(%error, "the clock cannot be read");
            Problem::QueueUnavailable
        })?;
        let fingerprint = Fingerprint::of(&order);
        let placed = OrderPlaced {
            id,
            client: request.client,
            placed_at,
            fingerprint,
            order,
        };
        match self.queue.send(&placed, trace).await {
            Ok(()) => {
                tracing::info!(order_id = %id, "queued");
                Ok(id)
            }
            Err(error) => {
                tracing::error!(order_id = %id, %error, "not queued");
                Err(Problem::QueueUnavailable)
            }
        }
    }

    fn id(&self, client: &Client, key: Option<&IdempotencyKey>) -> Result<OrderId, Problem> {
        let Some(key) = key else {
            let mut random = [0; 12];
            getrandom::fill(&mut random).map_err(|error| {
                tracing::error!(%error, "no random bytes for an id");
                Problem::QueueUnavailable
            })?;
            return Ok(self.ids.fresh(client, random));
        };
        Ok(self.ids.keyed(client, key))
    }
}

/// What the request asks for, or what is wrong with it.
fn check(request: &Request) -> Result<(Order, Option<IdempotencyKey>), Problem> {
    if request.method != "POST" {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let Some(body) = &request.body else {
        return Err(Problem::NotJson(
            "it is not the base64 that it is said to be".to_owned(),
        ));
    };
    if body.len() > MAX_ORDER_BYTES {
        return Err(Problem::TooLarge(MAX_ORDER_BYTES));
    }
    if !request.content_type.as_deref().is_some_and(is_json) {
        return Err(Problem::UnsupportedMediaType);
    }
    let key = match request.idempotency_key.as_deref() {
        Some(_) if !request.client.is_identified() => {
            return Err(Problem::InvalidIdempotencyKey(
                "An idempotency key needs a client that is known, by an API key or an authorizer.",
            ));
        }
        Some(key) => Some(IdempotencyKey::new(key).map_err(|_| {
            Problem::InvalidIdempotencyKey("The key must be 1 to 255 visible ASCII characters.")
        })?),
        None => None,
    };
    let order = Order::parse(body).map_err(|fault| match fault {
        NotAnOrder::NotJson(why) => Problem::NotJson(why),
        NotAnOrder::Invalid(faults) => Problem::InvalidOrder(faults),
    })?;
    Ok((order, key))
}

/// Whether a content type is JSON's. Parameters are ignored: JSON is UTF-8, whatever they say.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
