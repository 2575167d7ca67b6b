//! Turns the gateway's event into an HTTP request.
//!
//! `lambda_http` does the conversion. But its own types parse an event as a whole, so one odd value would fail the function,
//! and its conversion panics on some values. So the event is read here, member by member: the functions get what they use, and
//! nothing else. The path and the client are in the request's context, which the conversion leaves alone;
//! [`request`](crate::request) reads them from there.
//!
//! # Odd events
//! | event | what happens |
//! |---|---|
//! | a host, domain name, stage, stage variable or time of any type | ignored |
//! | a path without a leading slash, of any text, of any length | read as it is |
//! | a body that is marked as base64 but isn't | [`request::body`](crate::request::body) returns None; the client gets a 400 |
//! | half a surrogate pair in a header or in the body | replaced by U+FFFD |
//! | a control character in a header's value | replaced by U+FFFD, so that a bad idempotency key is refused and not lost |
//! | a header's name that HTTP forbids, a value that is not a string | the header is left out |
//! | one header under two spellings, or in `headers` and `multiValueHeaders` | one header with all distinct values |
//! | `null` in place of anything | counts as absent |
//! | anything in an authorizer's context | the client is taken from the known fields; see the crate's documentation |
//! | no `requestContext`, no method, or a method that HTTP forbids | function error |
//! | a load balancer's event | function error |
//! | a `body` that is not a string, an `isBase64Encoded` that is not a boolean | function error |
//!
//! No gateway is known to send events that are function errors. For these, API Gateway answers 502 and Lambda counts an error.

mod client;

pub use client::RoleClients;

use base64::{Engine, engine::general_purpose::STANDARD};
use events::lenient::{Object, lossy};
use lambda_http::{
    aws_lambda_events::apigw::{
        ApiGatewayProxyRequest, ApiGatewayRequestAuthorizer, ApiGatewayV2httpRequest,
    },
    http::{
        HeaderMap, HeaderValue, Method,
        header::{HOST, HeaderName},
    },
    request::LambdaRequest,
};
use serde::{
    Deserialize,
    de::{Deserializer, Error},
};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Field of an authorizer's context that carries the request's client.
pub(crate) const CLIENT: &str = "client";
/// Field with the client if each session of a role is one.
pub(crate) const CLIENT_OF_SESSION: &str = "client_of_session";
/// Field with a parameter of the query, by the parameter's name.
pub(crate) const PLACED_AT: &str = "placed_at";
pub(crate) const IDS: &str = "ids";
pub(crate) const FINGERPRINT: &str = "fingerprint";

/// An event of a REST API, an HTTP API or a Function URL, reduced to what the functions use. It can only be created by parsing
/// JSON: the conversion panics on some values that its type allows.
#[derive(Debug)]
pub struct Event(pub(crate) LambdaRequest);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = read(<&RawValue>::deserialize(deserializer)?);
        // The error quotes nothing of the event: the runtime logs it.
        let unknown = "the event is not from a REST API, an HTTP API or a Function URL";
        event.map(Self).ok_or_else(|| D::Error::custom(unknown))
    }
}

fn read(event: &RawValue) -> Option<LambdaRequest> {
    let event = Object::read(event)?;
    let context = Object::read(event.get("requestContext")?)?;
    let (body, is_base64_encoded) = body(&event)?;
    let authorizer = authorizer(&event, &context);
    let parameters = texts(&event.object("pathParameters"));
    let request_id = context.text("requestId").filter(|id| is_id(id));
    let method = |text: String| Method::from_bytes(text.as_bytes()).ok();
    let text = |name| event.get(name).and_then(lossy).map(Into::into);

    if let Some(name) = event.text("httpMethod").filter(|_| !context.has("elb")) {
        let mut rest = ApiGatewayProxyRequest::default();
        rest.http_method = method(name)?;
        rest.headers = headers(&event);
        (rest.body, rest.is_base64_encoded) = (body, is_base64_encoded);
        rest.path_parameters = parameters;
        let context = &mut rest.request_context;
        (context.path, context.resource_path) = (text("path"), text("resource"));
        context.authorizer = authorizer;
        context.request_id = request_id;
        return Some(LambdaRequest::ApiGatewayV1(rest));
    }
    let mut http = ApiGatewayV2httpRequest::default();
    http.headers = headers(&event);
    (http.body, http.is_base64_encoded) = (body, is_base64_encoded);
    http.path_parameters = parameters;
    http.request_context.http.method = method(context.object("http").text("method")?)?;
    http.request_context.http.path = text("rawPath");
    http.request_context.route_key = text("routeKey");
    http.request_context.authorizer = Some(authorizer);
    http.request_context.request_id = request_id;
    Some(LambdaRequest::ApiGatewayV2(http))
}

/// Returns whether this is a gateway's id, which goes into each log line.
fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/".contains(&byte);
    id.len() <= 64 && id.bytes().all(is_part)
}

/// Returns the body's text, and whether that is still base64, as it is for bytes that aren't UTF-8. None for base64 that can't
/// be decoded; an empty text for a missing body.
fn body(event: &Object<'_>) -> Option<(Option<String>, bool)> {
    let sent = match event.get("body") {
        Some(body) => lossy(body)?.into_owned(),
        None => String::new(),
    };
    match event.get("isBase64Encoded").map(RawValue::get) {
        None | Some("false") => return Some((Some(sent), false)),
        Some("true") => {}
        Some(_) => return None,
    }
    Some(match STANDARD.decode(&sent).map(String::from_utf8) {
        // Base64 of bytes that aren't UTF-8: the conversion decodes it again.
        Ok(Err(_)) => (Some(sent), true),
        Ok(Ok(text)) => (Some(text), false),
        Err(_) => (None, false),
    })
}

/// Merges the headers of both maps. A REST API fills both with the same values.
fn headers(event: &Object<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &RawValue| {
        let Some(value) = lossy(value) else { return };
        let value = value.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return;
        };
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            && name != HOST // The conversion parses it as a URI and panics if it isn't one.
            && !headers.get_all(&name).iter().any(|known| *known == value)
        {
            // No gateway lets through more than 32,768 headers.
            drop(headers.try_append(name, value));
        }
    };
    for map in ["multiValueHeaders", "headers"] {
        for (name, value) in event.object(map).members() {
            match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
                Ok(values) => values.into_iter().for_each(|value| add(name, value)),
                Err(_) => add(name, value),
            }
        }
    }
    headers
}

fn texts(object: &Object<'_>) -> HashMap<String, String> {
    let texts = object
        .members()
        .filter_map(|(name, value)| Some((name.to_owned(), lossy(value)?.into_owned())));
    texts.collect()
}

/// Returns an authorizer's context that contains only what was read here for the functions.
fn authorizer(event: &Object<'_>, context: &Object<'_>) -> ApiGatewayRequestAuthorizer {
    let client = |of_role| {
        let client = client::client(context, of_role)?;
        Some(client.as_str().to_owned())
    };
    let query = |name| parameter(event, name);
    let fields = [
        (CLIENT, client(RoleClients::Role)),
        (CLIENT_OF_SESSION, client(RoleClients::Session)),
        (PLACED_AT, query(PLACED_AT)),
        (IDS, query(IDS)),
        (FINGERPRINT, query(FINGERPRINT)),
    ];
    let mut authorizer = ApiGatewayRequestAuthorizer::default();
    for (name, value) in fields {
        if let Some(value) = value {
            authorizer.fields.insert(name.to_owned(), value.into());
        }
    }
    authorizer
}

/// Returns a parameter of the query. Several values are joined by commas, as HTTP APIs and Function URLs do.
fn parameter(event: &Object<'_>, name: &str) -> Option<String> {
    let many = event.object("multiValueQueryStringParameters").get(name);
    let many = many.and_then(|many| serde_json::from_str::<Vec<&RawValue>>(many.get()).ok());
    if let Some(many) = many {
        let values: Vec<_> = many.into_iter().filter_map(lossy).collect();
        return Some(values.join(","));
    }
    let one = event.object("queryStringParameters").get(name)?;
    lossy(one).map(Into::into)
}
