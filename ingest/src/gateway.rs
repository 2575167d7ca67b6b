//! The room between the gateway and the handlers: an event becomes an HTTP request, and a response becomes an answer.
//!
//! `lambda_http` converts both, but it panics at some of the events that it can read: at a body that isn't the base64
//! that it is marked as, and at hosts, paths and queries that make no URI. So a guard stands before the conversion and
//! takes away what it could panic at. The functions use neither host nor query. The path moves to the request's context,
//! which the conversion leaves alone; [`request`](crate::request) reads it there.
//!
//! # Odd events
//! No gateway is known to send these. The guard mends what a client may have a hand in. The rest is a function error:
//! API Gateway answers 502, and Lambda counts an error.
//!
//! | event | what happens |
//! |---|---|
//! | a body that is marked as base64 and isn't | mended: [`request::body`](crate::request::body) gives none, and the client gets its 400 |
//! | a host, domain name, stage, scheme or query of any text | mended: nobody reads them |
//! | a path without a leading slash, of any text, of any length | mended: it stays out of the URI and is read as it is |
//! | `headers` and `multiValueHeaders`, both filled | mended: `headers` is cleared, or the conversion would keep the last of several values, and one of two `Idempotency-Key`s would pass |
//! | a control character in a header's value | mended: U+FFFD takes its place, so that a bad idempotency key is refused and not lost |
//! | a header's name that HTTP forbids | mended: the header is left out |
//! | `null` where something else is expected, such as `identity` | mended: the member is left out |
//! | one header under two spellings in `multiValueHeaders` | read as one header of several values |
//! | a header with an empty list of values | read as no header |
//! | an empty method | read as `GET` by `lambda_http` |
//! | no `requestContext`, no method in it, or a method that HTTP forbids | function error |
//! | a REST API's `authorizer` that is no object; an HTTP API's with claims that aren't texts | function error |
//! | an HTTP API's `authorizer` with a principal outside `jwt` and `lambda` | not read: the client is anonymous |
//! | an HTTP API's event with both a `path` and a `rawPath` | function error |
//! | another member of another type than is documented; half a surrogate pair anywhere | function error |

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use lambda_http::{
    Adapter, Body, LambdaEvent, Request, Response, Service,
    aws_lambda_events::{
        apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest},
        query_map::QueryMap,
    },
    http::header::{HOST, HeaderName},
    request::LambdaRequest,
    service_fn,
    tower::ServiceExt,
};
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error},
};
use serde_json::{Value, value::RawValue};
use std::{convert::Infallible, fmt::Debug, future::Future};

/// An event of a REST API, an HTTP API or a Function URL, as it was read.
#[derive(Debug)]
pub struct Event(pub LambdaRequest);

/// Makes a handler of requests the service that the Lambda runtime invokes.
pub fn service<'a, F>(
    mut handler: impl FnMut(Request) -> F + 'a,
) -> impl Service<LambdaEvent<Event>, Response = impl Serialize + Debug, Error = Infallible>
where
    F: Future<Output = Response<Body>> + Send + 'a,
{
    let handler = service_fn(move |request| handler(request).map(Ok::<_, Infallible>));
    Adapter::from(handler).map_request(|event: LambdaEvent<Event>| {
        let LambdaEvent { payload, context } = event;
        LambdaEvent::new(guarded(payload.0), context)
    })
}

/// Takes away what the conversion could panic at.
fn guarded(mut event: LambdaRequest) -> LambdaRequest {
    match &mut event {
        LambdaRequest::ApiGatewayV1(event) => {
            if !event.multi_value_headers.is_empty() {
                event.headers.clear();
            }
            event.headers.remove(HOST);
            event.query_string_parameters = QueryMap::default();
            event.multi_value_query_string_parameters = QueryMap::default();
            decode(&mut event.body, &mut event.is_base64_encoded);
            let context = &mut event.request_context;
            (context.domain_name, context.stage) = (None, None);
            (context.path, context.resource_path) = (event.path.take(), event.resource.take());
        }
        LambdaRequest::ApiGatewayV2(event) => {
            event.headers.remove(HOST);
            event.query_string_parameters = QueryMap::default();
            event.raw_query_string = None;
            decode(&mut event.body, &mut event.is_base64_encoded);
            let context = &mut event.request_context;
            (context.domain_name, context.stage) = (None, None);
            context.http.path = event.raw_path.take();
        }
        _ => {}
    }
    event
}

/// Leaves a text, base64 that can be decoded, or, for base64 that can't be, nothing. No body is an empty text.
fn decode(body: &mut Option<String>, is_base64: &mut bool) {
    let sent = body.take().unwrap_or_default();
    if !*is_base64 {
        *body = Some(sent);
        return;
    }
    match STANDARD.decode(&sent).map(String::from_utf8) {
        // Base64 of bytes that aren't UTF-8: the conversion decodes it once more.
        Ok(Err(_)) => *body = Some(sent),
        Ok(Ok(text)) => (*body, *is_base64) = (Some(text), false),
        Err(_) => *is_base64 = false,
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = <&RawValue>::deserialize(deserializer)?.get();
        // Says nothing of what the event holds: the runtime logs it.
        let unknown =
            || D::Error::custom("the event is no REST API's, HTTP API's or Function URL's");
        read(event)
            .or_else(|| read(&mended(event)?))
            .map(Self)
            .ok_or_else(unknown)
    }
}

/// Reads an event, as `lambda_http` does, without its copy of the event.
fn read(event: &str) -> Option<LambdaRequest> {
    let rest = || serde_json::from_str::<ApiGatewayProxyRequest>(event).ok();
    let http = || serde_json::from_str::<ApiGatewayV2httpRequest>(event).ok();
    rest()
        .map(LambdaRequest::ApiGatewayV1)
        .or_else(|| http().map(LambdaRequest::ApiGatewayV2))
}

/// Mends the JSON of an event that can't be read: leaves nulls out, and what HTTP forbids in headers.
fn mended(event: &str) -> Option<String> {
    let mut event = serde_json::from_str(event).ok()?;
    remove_nulls(&mut event);
    for name in ["headers", "multiValueHeaders"] {
        let Some(Value::Object(headers)) = event.get_mut(name) else {
            continue;
        };
        headers.retain(|name, _| HeaderName::from_bytes(name.as_bytes()).is_ok());
        for values in headers.values_mut() {
            let values = match values {
                Value::Array(values) => values.as_mut_slice(),
                value => std::slice::from_mut(value),
            };
            for value in values {
                if let Value::String(text) = value {
                    *text = text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
                }
            }
        }
    }
    Some(event.to_string())
}

fn remove_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(remove_nulls);
    }
}
