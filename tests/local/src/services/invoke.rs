//! Serves Lambda's Invoke API.

use super::text;
use crate::lambda::{InvokeError, Lambda, PAYLOAD_LIMIT, trace::Trace};
use axum::body::Body;
use bytes::Bytes;
use hyper::{HeaderMap, Method, Response, StatusCode, header::HeaderValue, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::{error::Error, sync::Arc};

/// Invokes a function, by any of its names.
pub(super) async fn invoke(
    lambda: &Arc<Lambda>,
    function: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let Some(function) = lambda.logical_id(function).map(str::to_owned) else {
        let message = format!("Function not found: {function}");
        return lambda_error(
            404,
            "ResourceNotFoundException",
            json!({"Message": message}),
        );
    };
    if body.len() > PAYLOAD_LIMIT {
        let message = format!("Request must be smaller than {PAYLOAD_LIMIT} bytes");
        return lambda_error(413, "RequestTooLargeException", json!({"message": message}));
    }
    // Without a payload the function gets an empty object.
    let payload = Some(body).filter(|body| !body.is_empty());
    let payload = payload.unwrap_or_else(|| Bytes::from_static(b"{}"));
    if let Err(error) = check_json(&payload) {
        let message = format!(
            "Could not parse request body into json: Could not parse payload into json: {error}"
        );
        let body = json!({"message": message});
        return lambda_error(400, "InvalidRequestContentException", body);
    }
    let trace = Trace::of(headers).unwrap_or_else(Trace::begin);
    match headers
        .get("x-amz-invocation-type")
        .map(HeaderValue::to_str)
    {
        Some(Ok("DryRun")) => return text(StatusCode::NO_CONTENT, ""),
        Some(Ok("Event")) => {
            let lambda = lambda.clone();
            tokio::spawn(async move { lambda.invoke_in(trace, &function, payload).await });
            return text(StatusCode::ACCEPTED, "");
        }
        None | Some(Ok("RequestResponse")) => {}
        Some(_) => {
            let message = "The invocation type must be RequestResponse, Event or DryRun";
            let body = json!({"message": message});
            return lambda_error(400, "InvalidParameterValueException", body);
        }
    }
    let (error, payload) = match lambda.invoke_in(trace, &function, payload).await {
        Ok(payload) => (None, payload),
        Err(InvokeError::Failed(document)) => (Some("Unhandled"), document),
        Err(InvokeError::Throttled) => {
            let body =
                json!({"message": "Rate Exceeded.", "Reason": "ConcurrentInvocationLimitExceeded"});
            return lambda_error(429, "TooManyRequestsException", body);
        }
    };
    let mut response = Response::new(Body::from(payload));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(
        "x-amz-executed-version",
        HeaderValue::from_static("$LATEST"),
    );
    if let Some(error) = error {
        headers.insert("x-amz-function-error", HeaderValue::from_static(error));
    }
    response
}

fn check_json(payload: &[u8]) -> Result<(), Box<dyn Error>> {
    serde_json::from_str::<IgnoredAny>(str::from_utf8(payload)?)?;
    Ok(())
}

/// `POST /2015-03-31/functions/{function}/invocations`
pub(super) fn function(head: &Parts) -> Option<String> {
    let path = head.uri.path().strip_prefix("/2015-03-31/functions/")?;
    let function = path.strip_suffix("/invocations")?;
    let function = percent_decode_str(function).decode_utf8().ok()?;
    (head.method == Method::POST).then(|| function.into_owned())
}

fn lambda_error(status: u16, code: &'static str, mut body: Value) -> Response<Body> {
    body["Type"] = "User".into();
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
    response
}
