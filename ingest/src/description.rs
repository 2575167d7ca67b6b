//! `GET /openapi.json`: describes the API to those who write its clients.

use crate::response::with;
use events::openapi::JSON;
use lambda_http::{
    Body, Response,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

/// Answers with the document, which is the same for everybody and may be cached.
pub(crate) fn describe() -> Response<Body> {
    let response = Response::new(Body::from(JSON));
    let response = with(response, CONTENT_TYPE, "application/json");
    let response = with(response, CACHE_CONTROL, "public, max-age=300");
    with(response, X_CONTENT_TYPE_OPTIONS, "nosniff")
}
