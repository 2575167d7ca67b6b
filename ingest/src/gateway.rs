//! Turns the gateway's event into an HTTP request.
//!
//! `lambda_http` does the conversion. But its own types parse an event as a whole, so one odd value would fail the function,
//! and its conversion panics on some values. So the event is read here, member by member: the functions get what they use, and
//! nothing else. The path is in the request's context, which the conversion leaves alone; the client and the query become an
//! extension of the request. [`request`](crate::request) reads them from there.
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

use client::Caller;

use base64::{Engine, engine::general_purpose::STANDARD};
use events::{
    Client,
    lenient::{Object, lossy},
};
use lambda_http::{
    aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest},
    http::{HeaderMap, HeaderValue, Method, header::HeaderName},
    request::LambdaRequest,
};
use serde::{
    Deserialize,
    de::{Deserializer, Error},
};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Parameters of the query.
pub(crate) const PLACED_AT: &str = "placed_at";
pub(crate) const IDS: &str = "ids";
pub(crate) const FINGERPRINT: &str = "fingerprint";

/// Headers that are read, apart from those of an idempotency key.
const READ: [&str; 2] = ["content-type", "content-encoding"];

/// An event of a REST API, an HTTP API or a Function URL, reduced to what the functions use. It can only be created by parsing
/// JSON: the conversion panics on some values that its type allows.
#[derive(Debug)]
pub struct Event {
    pub(crate) request: LambdaRequest,
    caller: Option<Caller>,
    query: Query,
}

/// What is known of a request beside its HTTP: an extension of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The client; None if there is an authorizer that names no client.
    pub(crate) client: Option<Client>,
    pub(crate) query: Query,
}

/// The query's parameters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) placed_at: Option<String>,
    pub(crate) ids: Option<String>,
    pub(crate) fingerprint: Option<String>,
}

impl Event {
    /// Returns the HTTP request, and what is known beside it.
    pub(crate) fn into_parts(self, of_role: RoleClients) -> (LambdaRequest, Known) {
        let client = self.caller.map(|caller| caller.client(of_role));
        let query = self.query;
        (self.request, Known { client, query })
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Object::deserialize(deserializer).ok();
        // The error quotes nothing of the event: the runtime logs it.
        let unknown = "the event is not from a REST API, an HTTP API or a Function URL";
        let event = event.as_ref().and_then(read);
        event.ok_or_else(|| D::Error::custom(unknown))
    }
}

fn read(event: &Object<'_>) -> Option<Event> {
    let context = Object::read(event.get("requestContext")?)?;
    Some(Event {
        request: request(event, &context)?,
        caller: client::caller(&context),
        query: query(event),
    })
}

fn request(event: &Object<'_>, context: &Object<'_>) -> Option<LambdaRequest> {
    let (body, is_base64_encoded) = body(event)?;
    let parameters = texts(&event.object("pathParameters"));
    let request_id = context.text("requestId").filter(|id| is_id(id));
    let method = |text: String| Method::from_bytes(text.as_bytes()).ok();
    let text = |name| event.get(name).and_then(lossy).map(Into::into);

    if let Some(name) = event.text("httpMethod").filter(|_| !context.has("elb")) {
        let mut rest = ApiGatewayProxyRequest::default();
        rest.http_method = method(name)?;
        rest.headers = headers(event);
        (rest.body, rest.is_base64_encoded) = (body, is_base64_encoded);
        rest.path_parameters = parameters;
        let context = &mut rest.request_context;
        (context.path, context.resource_path) = (text("path"), text("resource"));
        context.request_id = request_id;
        return Some(LambdaRequest::ApiGatewayV1(rest));
    }
    let mut http = ApiGatewayV2httpRequest::default();
    http.headers = headers(event);
    (http.body, http.is_base64_encoded) = (body, is_base64_encoded);
    http.path_parameters = parameters;
    http.request_context.http.method = method(context.object("http").text("method")?)?;
    http.request_context.http.path = text("rawPath");
    http.request_context.route_key = text("routeKey");
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

/// Merges those headers of both maps that are read. A REST API fills both with the same values.
fn headers(event: &Object<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &HeaderName, value: &RawValue| {
        let Some(value) = lossy(value) else { return };
        let value = value.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            && !headers.get_all(name).iter().any(|known| *known == value)
        {
            // No gateway lets through more than 32,768 headers.
            drop(headers.try_append(name, value));
        }
    };
    for map in ["multiValueHeaders", "headers"] {
        for (name, value) in event.object(map).members() {
            let is_read = READ.iter().any(|read| name.eq_ignore_ascii_case(read));
            if !is_read && !is_of_key(name) {
                continue;
            }
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                continue;
            };
            match list(value) {
                Some(values) => values.into_iter().for_each(|value| add(&name, value)),
                None => add(&name, value),
            }
        }
    }
    headers
}

/// Returns whether a header's name, in any case, is the idempotency key's or close to it.
pub(crate) fn is_of_key(name: &str) -> bool {
    let is_part = |part: &[u8]| {
        part.eq_ignore_ascii_case(b"idempot") || part.eq_ignore_ascii_case(b"potency")
    };
    name.as_bytes().windows(7).any(is_part)
}

/// Returns the elements of an array; None if the value isn't one.
fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    let is_array = value.get().starts_with('[');
    is_array.then(|| serde_json::from_str(value.get()).ok())?
}

fn texts(object: &Object<'_>) -> HashMap<String, String> {
    let texts = object
        .members()
        .filter_map(|(name, value)| Some((name.to_owned(), lossy(value)?.into_owned())));
    texts.collect()
}

/// Reads the query's parameters. Several values of one are joined by commas, as HTTP APIs and Function URLs do.
fn query(event: &Object<'_>) -> Query {
    let many = event.object("multiValueQueryStringParameters");
    let one = event.object("queryStringParameters");
    let parameter = |name| match many.get(name).and_then(list) {
        Some(values) => {
            let values: Vec<_> = values.into_iter().filter_map(lossy).collect();
            Some(values.join(","))
        }
        None => lossy(one.get(name)?).map(Into::into),
    };
    Query {
        placed_at: parameter(PLACED_AT),
        ids: parameter(IDS),
        fingerprint: parameter(FINGERPRINT),
    }
}
