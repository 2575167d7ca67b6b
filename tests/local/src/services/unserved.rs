//! The answer to a call that isn't served: an error in the caller's own protocol.

use super::{operation, served::SERVED};
use axum::body::Body;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use serde_json::json;
use uuid::Uuid;

/// The version of SQS's API, which its query protocol sends.
const SQS_VERSION: &str = "2012-11-05";

/// Refuses a call: in XML for callers of the query protocol, in JSON for the others.
pub fn refuse(head: &Parts, body: &[u8]) -> Response<Body> {
    if let Some(target) = text(&head.headers, "x-amz-target") {
        let operation = target.rsplit_once('.').map_or(target, |(_, name)| name);
        return json_error(head, &not_served(&head.headers, operation));
    }
    let parameters = [head.uri.query().unwrap_or_default().as_bytes(), body];
    let parameter = |name| parameters.iter().find_map(|text| parameter(text, name));
    match parameter("Action") {
        Some(action) => {
            let is_sqs = parameter("Version").as_deref() == Some(SQS_VERSION);
            xml_error(&head.headers, &action, is_sqs)
        }
        None => rest_error(head),
    }
}

fn not_served(headers: &HeaderMap, operation: &str) -> String {
    let services: Vec<_> = SERVED.iter().map(|service| service.name).collect();
    let of = service(headers).map_or_else(String::new, |service| format!(" of {service}"));
    format!(
        "`local` doesn't serve {operation}{of}. It serves some operations of {}; tests/local/README.md lists them.",
        services.join(", ")
    )
}

/// AWS JSON, in the version of the request.
fn json_error(head: &Parts, message: &str) -> Response<Body> {
    let version = text(&head.headers, "content-type")
        .filter(|version| version.starts_with("application/x-amz-json-"))
        .unwrap_or("application/x-amz-json-1.0");
    let is_sqs = operation(head).is_some_and(|(service, _)| service == super::SQS);
    let error = if is_sqs {
        "com.amazonaws.sqs#UnsupportedOperation"
    } else {
        "UnknownOperationException"
    };
    let body = json!({"__type": error, "message": message});
    let mut response = answer(StatusCode::BAD_REQUEST, version, body.to_string());
    if is_sqs {
        let code = HeaderValue::from_static("AWS.SimpleQueueService.UnsupportedOperation;Sender");
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

/// The query protocol's XML.
fn xml_error(headers: &HeaderMap, action: &str, is_sqs: bool) -> Response<Body> {
    let (code, message) = if is_sqs {
        let message = format!(
            "`local` speaks SQS's JSON protocol only, and {action} came by the older query protocol. \
            AWS CLI 1.29.81, boto3 1.28.81 and botocore 1.31.81 are the first that speak JSON: use these or later ones."
        );
        ("AWS.SimpleQueueService.UnsupportedOperation", message)
    } else {
        ("InvalidAction", not_served(headers, action))
    };
    let id = Uuid::new_v4();
    let body = format!(
        "<?xml version=\"1.0\"?><ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
        <Message>{}</Message><Detail/></Error><RequestId>{id}</RequestId></ErrorResponse>",
        escape(&message)
    );
    answer(StatusCode::BAD_REQUEST, "text/xml", body)
}

/// REST JSON: the error's name is in a header.
fn rest_error(head: &Parts) -> Response<Body> {
    let call = format!("{} {}", head.method, head.uri.path());
    let body = json!({"Type": "User", "message": not_served(&head.headers, &call)});
    let mut response = answer(StatusCode::NOT_FOUND, "application/json", body.to_string());
    let name = HeaderValue::from_static("UnknownOperationException");
    response.headers_mut().insert("x-amzn-errortype", name);
    response
}

fn answer(status: StatusCode, content_type: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, content_type)
        .header("x-amzn-requestid", Uuid::new_v4().to_string())
        .body(Body::from(body))
        .unwrap_or_else(|error| super::text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The service for which a request was signed: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn service(headers: &HeaderMap) -> Option<&str> {
    let signed = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = signed.split_once("Credential=")?;
    credential.split('/').nth(3)
}

/// A parameter of a form.
fn parameter(form: &[u8], name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(form);
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
