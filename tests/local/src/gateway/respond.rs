//! Writes the client's response: a function's answer, or one of the gateway's own.

use super::event::Arrival;
use crate::{
    lambda::trace,
    template::model::{CONTEXT_VARIABLES, GatewayResponse},
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer that the gateway itself sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The gateway response's type.
    kind: &'static str,
    status: StatusCode,
    /// For the header `x-amzn-errortype`.
    error: &'static str,
    message: &'static str,
}

const fn fault(
    kind: &'static str,
    status: StatusCode,
    error: &'static str,
    message: &'static str,
) -> Fault {
    Fault {
        kind,
        status,
        error,
        message,
    }
}

/// A path or method without a route; AWS can't distinguish it from a request without IAM credentials.
pub const MISSING_AUTHENTICATION_TOKEN: Fault = fault(
    "MISSING_AUTHENTICATION_TOKEN",
    StatusCode::FORBIDDEN,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
);
/// A stage that doesn't exist.
pub const FORBIDDEN: Fault = fault(
    "ACCESS_DENIED",
    StatusCode::FORBIDDEN,
    "ForbiddenException",
    "Forbidden",
);
/// A body that broke off or has bad chunks.
pub const BAD_REQUEST_BODY: Fault = fault(
    "BAD_REQUEST_BODY",
    StatusCode::BAD_REQUEST,
    "BadRequestException",
    "Invalid request body",
);
/// A body over API Gateway's limit.
pub const BODY_TOO_LARGE: Fault = fault(
    "REQUEST_TOO_LARGE",
    StatusCode::PAYLOAD_TOO_LARGE,
    "RequestTooLargeException",
    "HTTP content length exceeded 10485760 bytes.",
);
/// An event over Lambda's limit.
pub const EVENT_TOO_LARGE: Fault = fault(
    "REQUEST_TOO_LARGE",
    StatusCode::PAYLOAD_TOO_LARGE,
    "RequestTooLargeException",
    "Request Too Long",
);
/// Headers over API Gateway's limit. AWS documents the limit but not the status; this one is from RFC 6585.
pub const HEADERS_TOO_LARGE: Fault = fault(
    "DEFAULT_4XX",
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "BadRequestException",
    "HTTP header is larger than 10240 bytes.",
);
/// A function that failed, or whose answer is malformed.
pub const INTERNAL_SERVER_ERROR: Fault = fault(
    "DEFAULT_5XX",
    StatusCode::BAD_GATEWAY,
    "InternalServerErrorException",
    "Internal server error",
);
/// A function that Lambda throttles; AWS hides that from the client.
pub const THROTTLED_FUNCTION: Fault = Fault {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    ..INTERNAL_SERVER_ERROR
};
/// A function that takes too long.
pub const INTEGRATION_TIMEOUT: Fault = fault(
    "INTEGRATION_TIMEOUT",
    StatusCode::GATEWAY_TIMEOUT,
    "InternalServerErrorException",
    "Endpoint request timed out",
);

/// Makes the gateway's own answer from the template: by its type, else by the default for 4xx or 5xx, else as AWS sends it.
pub fn gateway_response(
    fault: &Fault,
    responses: &BTreeMap<String, GatewayResponse>,
    arrival: &Arrival,
) -> Response {
    let default = if fault.status.is_client_error() {
        "DEFAULT_4XX"
    } else {
        "DEFAULT_5XX"
    };
    let custom = responses.get(fault.kind).or_else(|| responses.get(default));
    let template = custom.and_then(|custom| custom.body.as_deref());
    let mut body = template
        .unwrap_or(r#"{"message":$context.error.messageString}"#)
        .to_owned();
    let quoted = Value::from(fault.message).to_string();
    for (name, value) in
        CONTEXT_VARIABLES
            .into_iter()
            .zip([&quoted, fault.message, fault.kind, &arrival.request_id])
    {
        body = body.replace(&format!("${name}"), value);
    }

    let mut response = Response::new(Body::from(body));
    let status = custom.and_then(|custom| custom.status);
    *response.status_mut() = status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(fault.status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(fault.error));
    for (name, value) in custom.iter().flat_map(|custom| &custom.headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    identify(response, arrival)
}

/// A function's answer. Every member is optional; unknown members make it malformed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    status_code: Option<Scalar>,
    headers: Option<BTreeMap<String, Scalar>>,
    multi_value_headers: Option<BTreeMap<String, Vec<Scalar>>>,
    body: Option<String>,
    /// Has no effect: an API without `BinaryMediaTypes` decodes nothing, and its client gets the base64.
    #[serde(rename = "isBase64Encoded")]
    _is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u16),
    Boolean(bool),
    Text(String),
}

/// Turns the function's answer into HTTP; `None` if it is malformed.
pub fn function_response(answer: &[u8], arrival: &Arrival) -> Option<Response> {
    // serde would also accept a list of the members.
    if !answer.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let status = match answer.status_code {
        None => 200,
        Some(Scalar::Number(status)) => status,
        Some(Scalar::Text(status)) => status.parse().ok()?,
        Some(Scalar::Boolean(_)) => return None,
    };
    if !(200..600).contains(&status) {
        return None;
    }
    let mut response = Response::new(Body::from(answer.body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // As recorded on API Gateway: a header in both maps has the values of the list, then the single one. A value that is in
    // the list already isn't sent twice.
    let mut listed = HeaderMap::new();
    for (name, values) in answer.multi_value_headers.unwrap_or_default() {
        let name = header_name(&name)?;
        headers.remove(&name);
        for value in values {
            listed.append(&name, header_value(value)?);
        }
    }
    for (name, value) in answer.headers.unwrap_or_default() {
        let (name, value) = (header_name(&name)?, header_value(value)?);
        if !listed.contains_key(&name) {
            headers.insert(name, value);
        } else if !listed.get_all(&name).iter().any(|listed| listed == value) {
            listed.append(name, value);
        }
    }
    headers.extend(listed);
    Some(identify(response, arrival))
}

/// Renames a header about the connection: only the gateway may send it under its own name.
fn header_name(name: &str) -> Option<HeaderName> {
    let name = HeaderName::try_from(name).ok()?;
    match name.as_str() {
        "authorization" | "connection" | "content-length" | "content-md5" | "date" | "expect"
        | "host" | "keep-alive" | "max-forwards" | "server" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" | "user-agent" | "www-authenticate" => {
            HeaderName::try_from(format!("x-amzn-remapped-{name}")).ok()
        }
        _ => Some(name),
    }
}

fn header_value(value: Scalar) -> Option<HeaderValue> {
    match value {
        Scalar::Text(text) => HeaderValue::try_from(text).ok(),
        Scalar::Boolean(boolean) => HeaderValue::try_from(boolean.to_string()).ok(),
        Scalar::Number(_) => None,
    }
}

fn identify(mut response: Response, arrival: &Arrival) -> Response {
    if let Ok(id) = HeaderValue::try_from(&arrival.request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    if let Ok(trace) = HeaderValue::try_from(arrival.trace.to_string()) {
        response.headers_mut().insert(trace::HEADER, trace);
    }
    response
}

#[cfg(test)]
mod tests;
