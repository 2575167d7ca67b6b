//! What accepting one order and accepting many have in common.

use crate::{gateway::is_of_key, metrics::Metrics, problem::Problem, queue::OrderQueue, request};
use events::{Client, IdempotencyKey, Order, OrderIds, OrderPlaced, Timestamp, json};
use lambda_http::{Request, http::header::HeaderName};

/// Header with the idempotency key of an order that is sent alone.
pub(crate) const HEADER: &str = "idempotency-key";

/// What is needed to accept orders: the ids, the queue and the metrics.
#[derive(Debug)]
pub struct Acceptor {
    ids: OrderIds,
    pub(crate) queue: OrderQueue,
    pub(crate) metrics: Metrics,
}

impl Acceptor {
    /// Issues ids from `ids`, and puts orders on `queue`.
    pub fn new(ids: OrderIds, queue: OrderQueue, metrics: Metrics) -> Self {
        Self {
            ids,
            queue,
            metrics,
        }
    }

    /// Creates the queue's message for a client's order. Without a key the order gets a random id.
    pub(crate) fn message(
        &self,
        order: Order,
        key: Option<&IdempotencyKey>,
        client: Client,
        placed_at: Timestamp,
    ) -> Result<OrderPlaced, Problem> {
        let id = if let Some(key) = key {
            self.ids.keyed(&client, key)
        } else {
            let mut random = [0; 12];
            getrandom::fill(&mut random).map_err(|error| {
                tracing::error!(%error, "could not draw random bytes for an order's id");
                Problem::NoOrderId
            })?;
            self.ids.fresh(&client, random)
        };
        Ok(OrderPlaced::new(id, client, placed_at, order))
    }
}

/// Returns the body of a request that is marked as JSON and has at most `most` bytes.
pub(crate) fn json_body(request: &Request, most: usize) -> Result<&[u8], Problem> {
    let body = request::body(request).ok_or(Problem::NotBase64)?;
    if body.len() > most {
        return Err(Problem::TooLarge("body", most));
    }
    let types = request::values(request, "content-type");
    if types.is_empty() || !types.iter().all(|content_type| is_json(content_type)) {
        return Err(Problem::UnsupportedMediaType);
    }
    let encodings = request::values(request, "content-encoding");
    let is_encoded = encodings
        .iter()
        .any(|coding| !coding.eq_ignore_ascii_case("identity"));
    // A gateway may have decoded the body and kept the header.
    if is_encoded && json::parse(body).is_err() {
        return Err(Problem::EncodedBody);
    }
    Ok(body)
}

/// Returns whether a content type is JSON's. Parameters are ignored: JSON is UTF-8, whatever they say.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Returns the idempotency key in a request's header.
pub(crate) fn header_key(
    request: &Request,
    client: &Client,
) -> Result<Option<IdempotencyKey>, Problem> {
    match &request::values(request, HEADER)[..] {
        [] if has_near_miss(request) => Err(Problem::InvalidIdempotencyKey(
            "Send the key in the header Idempotency-Key; one of another name would do nothing.",
        )),
        [] => Ok(None),
        [key] => idempotency_key(client, key).map(Some),
        _ => Err(Problem::InvalidIdempotencyKey(
            "The header Idempotency-Key is there more than once, with different keys.",
        )),
    }
}

/// Returns whether a header's name is close to that of the key's. Ignoring such a header would make each retry a new order.
pub(crate) fn has_near_miss(request: &Request) -> bool {
    let mut names = request.headers().keys().map(HeaderName::as_str);
    // Responses carry a header that ends in this way to mark a replay, and a proxy may copy it.
    names.any(|name| is_of_key(name) && name != HEADER && !name.ends_with("-replayed"))
}

/// Reads an idempotency key. Anonymous clients may not use one.
pub(crate) fn idempotency_key(client: &Client, key: &str) -> Result<IdempotencyKey, Problem> {
    if !client.is_identified() {
        return Err(Problem::InvalidIdempotencyKey(
            "An idempotency key needs a client that is known, by an API key or an authorizer.",
        ));
    }
    IdempotencyKey::new(key).map_err(|_| {
        Problem::InvalidIdempotencyKey(
            "The key must be 1 to 255 visible ASCII characters without a comma.",
        )
    })
}
