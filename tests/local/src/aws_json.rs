//! Answers of the AWS JSON protocol.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

/// The protocol's version 1.0, by its content type.
pub const V1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
/// The protocol's version 1.1.
pub const V1_1: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// Makes an answer with the headers that every answer has.
pub fn respond(version: HeaderValue, status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, version);
    if let Ok(id) = Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
