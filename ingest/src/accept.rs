//! `POST /orders`: accepts one order.

use crate::{
    acceptor::{Acceptor, header_key, json_body},
    gateway::{FINGERPRINT, PLACED_AT},
    problem::Problem,
    request, response,
    wait::FIRST,
};
use events::{
    Order, OrderPlaced,
    order::{MAX_ORDER_BYTES, NotAnOrder},
};
use lambda_http::{
    Body, Request, Response,
    http::{HeaderValue, StatusCode, header::LOCATION},
};
use std::time::{Instant, SystemTime};

/// Checks an order, puts it on the queue, and answers.
pub async fn accept(acceptor: &Acceptor, request: Request) -> Result<Response<Body>, Problem> {
    let placed = put_on_queue(acceptor, &request).await?;
    // A single order is answered with 202 only here, and only with an id that is on the queue.
    let mut response = response::queued(StatusCode::ACCEPTED, placed.id(), FIRST);
    if let Some(location) = location(&request, &placed) {
        let location = HeaderValue::try_from(location).expect("an id, a time and digits are ASCII");
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Returns the order's address, relative to the request's, so that stages and custom domains work. A slash at the end of the
/// request's path counts as a segment. The address contains the time at which the order was placed, because the wait depends
/// on the order's age, and part of its fingerprint, because another order with the same idempotency key may have the row. None
/// if the path ends in too many slashes.
fn location(request: &Request, placed: &OrderPlaced) -> Option<String> {
    let up = match request::slashes(request)? {
        0 => "orders/".to_owned(),
        slashes => "../".repeat(slashes - 1),
    };
    let (id, placed_at) = (placed.id(), placed.placed_at());
    let fingerprint = placed.fingerprint().short();
    Some(format!(
        "{up}{id}?{PLACED_AT}={placed_at}&{FINGERPRINT}={fingerprint}"
    ))
}

async fn put_on_queue(acceptor: &Acceptor, request: &Request) -> Result<OrderPlaced, Problem> {
    let client = request::client(request)?;
    let body = json_body(request, MAX_ORDER_BYTES)?;
    let key = header_key(request, &client)?;
    let order = Order::parse(body).map_err(|error| match error {
        NotAnOrder::NotJson(why) => Problem::NotJson(why),
        NotAnOrder::Invalid(violations) => Problem::InvalidOrder(violations),
    })?;
    let message = acceptor.message(order, key.as_ref(), client, SystemTime::now().into())?;
    let id = message.id();
    let start = Instant::now();
    let sent = acceptor.queue.send(&message, request::trace(request)).await;
    acceptor.metrics.took("QueueMilliseconds", start.elapsed());
    match sent {
        Ok(()) => {
            acceptor.metrics.count("Accepted", 1);
            tracing::info!(order_id = %id, "accepted the order");
            Ok(message)
        }
        Err(error) => {
            tracing::error!(order_id = %id, %error, "could not put the order on the queue");
            Err(Problem::QueueUnavailable)
        }
    }
}
