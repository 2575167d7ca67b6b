//! `POST /orders`: an order is checked, put on the queue, and answered. `place_batch` does it for many.

use crate::{problem::Problem, queue::OrderQueue, request::Request, response::Response};
use events::{
    Client, IdempotencyKey, Order, OrderId, OrderIds, OrderPlaced, Timestamp,
    order::{MAX_ORDER_BYTES, NotAnOrder},
};
use std::time::SystemTime;

/// Takes orders in.
#[derive(Debug)]
pub struct Intake {
    ids: OrderIds,
    pub(crate) queue: OrderQueue,
}

impl Intake {
    /// Issues ids from `ids`, and puts orders on `queue`.
    pub fn new(ids: OrderIds, queue: OrderQueue) -> Intake {
        Intake { ids, queue }
    }

    /// Answers a request. `trace` is the X-Ray header, passed on with the message.
    pub async fn handle(&self, request: Request, trace: Option<&str>) -> Response {
        if request.is_batch {
            return self.handle_batch(request, trace).await;
        }
        match self.place(request, trace).await {
            // Only here is an order answered with 202, and only with an id that `place` has on the queue.
            Ok(id) => Response::queued(202, id).with("location", format!("orders/{id}")),
            Err(problem) => problem.into(),
        }
    }

    async fn place(&self, request: Request, trace: Option<&str>) -> Result<OrderId, Problem> {
        let body = json_body(&request, MAX_ORDER_BYTES)?;
        let key = key(&request.client, request.idempotency_key.as_deref())?;
        let order = Order::parse(body).map_err(|error| match error {
            NotAnOrder::NotJson(why) => Problem::NotJson(why),
            NotAnOrder::Invalid(violations) => Problem::InvalidOrder(violations),
        })?;
        let placed = self.accept(
            order,
            key.as_ref(),
            request.client,
            SystemTime::now().into(),
        )?;
        match self.queue.send(&placed, trace).await {
            Ok(()) => {
                tracing::info!(order_id = %placed.id(), "queued");
                Ok(placed.id())
            }
            Err(error) => {
                tracing::error!(order_id = %placed.id(), %error, "not queued");
                Err(Problem::QueueUnavailable)
            }
        }
    }

    /// The queue's message for a client's order.
    pub(crate) fn accept(
        &self,
        order: Order,
        key: Option<&IdempotencyKey>,
        client: Client,
        placed_at: Timestamp,
    ) -> Result<OrderPlaced, Problem> {
        let id = self.id(&client, key)?;
        Ok(OrderPlaced::new(id, client, placed_at, order))
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

/// The body of a `POST` of JSON, of so many bytes at most.
pub(crate) fn json_body(request: &Request, most: usize) -> Result<&[u8], Problem> {
    if request.method != "POST" {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let Some(body) = &request.body else {
        return Err(Problem::NotJson(
            "it is marked as base64 but can't be decoded".to_owned(),
        ));
    };
    if body.len() > most {
        return Err(Problem::TooLarge("body", most));
    }
    if !request.content_type.as_deref().is_some_and(is_json) {
        return Err(Problem::UnsupportedMediaType);
    }
    Ok(body)
}

/// The idempotency key that a client gives, if it may.
pub(crate) fn key(client: &Client, key: Option<&str>) -> Result<Option<IdempotencyKey>, Problem> {
    match key {
        Some(_) if !client.is_identified() => Err(Problem::InvalidIdempotencyKey(
            "An idempotency key needs a client that is known, by an API key or an authorizer.",
        )),
        Some(key) => IdempotencyKey::new(key).map(Some).map_err(|_| {
            Problem::InvalidIdempotencyKey("The key must be 1 to 255 visible ASCII characters.")
        }),
        None => Ok(None),
    }
}

/// Whether a content type is JSON's. Parameters are ignored: JSON is UTF-8, whatever they say.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
