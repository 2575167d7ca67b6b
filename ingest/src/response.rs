//! Responses that the functions have in common.

use events::OrderId;
use lambda_http::{
    Body, Response,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS},
    },
};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// Builds a response with this body. Caches must not keep it: they don't know that API keys distinguish clients.
pub(crate) fn json(
    status: StatusCode,
    content_type: &'static str,
    body: &impl Serialize,
) -> Response<Body> {
    let body = serde_json::to_string(body).expect("bodies have string keys and no fallible parts");
    let response = Response::new(Body::from(body));
    let response = with(response, CONTENT_TYPE, content_type);
    let response = with(response, CACHE_CONTROL, "no-store");
    let mut response = with(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    *response.status_mut() = status;
    response
}

/// Reports that an order is queued, and when to poll again.
pub(crate) fn queued(status: StatusCode, id: OrderId, wait: Duration) -> Response<Body> {
    let body = json!({"id": id, "status": "queued"});
    ask_later(json(status, "application/json", &body), wait)
}

/// Adds when to poll for an outcome.
pub(crate) fn ask_later(mut response: Response<Body>, wait: Duration) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, wait.as_secs().into());
    response
}

/// Adds a header.
pub(crate) fn with(
    mut response: Response<Body>,
    name: HeaderName,
    value: &'static str,
) -> Response<Body> {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
    response
}
