//! Turns the gateway's event into an HTTP request.
//!
//! `lambda_http` converts it. Its own types read an event as a whole, so that one odd value in it is a function error,
//! and its conversion panics at some values. So the event is read here, member by member: the functions get what they
//! use, and nothing else comes in. The path and the client stand in the request's context, which the conversion leaves
//! alone; [`request`](crate::request) reads them there.
//!
//! # Odd events
//! | event | what happens |
//! |---|---|
//! | a host, domain name, stage, stage variable or time of any type | nobody reads it |
//! | a path without a leading slash, of any text, of any length | read as it is |
//! | a body that is marked as base64 and isn't | [`request::body`](crate::request::body) gives none, and the client gets its 400 |
//! | half a surrogate pair in a header or in the body | U+FFFD takes its place |
//! | a control character in a header's value | U+FFFD takes its place, so that a bad idempotency key is refused and not lost |
//! | a header's name that HTTP forbids, a value that is no text | the header is left out |
//! | one header under two spellings, or in `headers` and `multiValueHeaders` | one header of all the values that differ |
//! | `null` in place of anything | as if it weren't there |
//! | an authorizer's context of anything | the client is taken from it as far as it is known; see the crate's documentation |
//! | no `requestContext`, no method, or a method that HTTP forbids | function error |
//! | a load balancer's event | function error |
//! | a `body` that is no text, an `isBase64Encoded` that is no boolean | function error |
//!
//! No gateway is known to send those that are function errors: API Gateway answers 502, and Lambda counts an error.

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

/// The field of an authorizer's context in which a request brings its client.
pub(crate) const CLIENT: &str = "client";
/// The same for the client where each session of a role is one.
pub(crate) const CLIENT_OF_SESSION: &str = "client_of_session";
/// The same for the parameters of a query that are used, by their names.
pub(crate) const PLACED_AT: &str = "placed_at";
pub(crate) const IDS: &str = "ids";
pub(crate) const FINGERPRINT: &str = "fingerprint";

/// An event of a REST API, an HTTP API or a Function URL, as far as the functions use it. To be read from JSON is the one
/// way to make it: the conversion panics at some of what its type can hold.
#[derive(Debug)]
pub struct Event(pub(crate) LambdaRequest);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = read(<&RawValue>::deserialize(deserializer)?);
        // Says nothing of what the event holds: the runtime logs it.
        let unknown = "the event is no REST API's, HTTP API's or Function URL's";
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

/// True for an id of a gateway, which goes into each line of the log.
fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/".contains(&byte);
    id.len() <= 64 && id.bytes().all(is_part)
}

/// Gives a text, base64 that can be decoded, or, for base64 that can't be, nothing. No body is an empty text.
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
        // Base64 of bytes that aren't UTF-8: the conversion decodes it once more.
        Ok(Err(_)) => (Some(sent), true),
        Ok(Ok(text)) => (Some(text), false),
        Err(_) => (None, false),
    })
}

/// The headers of both maps. A REST API fills both, and then the values of one are those of the other.
fn headers(event: &Object<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &RawValue| {
        let Some(value) = lossy(value) else { return };
        let value = value.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return;
        };
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            && name != HOST // The conversion makes a URI of it, and panics if it is none.
            && !headers.get_all(&name).iter().any(|known| *known == value)
        {
            // More than 32,768 headers are more than a gateway lets through.
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

/// An authorizer's context that holds what was read here for the functions, and nothing else.
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

/// A parameter of the query. Several values are joined by a comma, as HTTP APIs and Function URLs do.
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
