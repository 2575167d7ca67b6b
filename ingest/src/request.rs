//! Reads a request that came through [`gateway`](crate::gateway).

use crate::{
    gateway::{CLIENT, CLIENT_OF_SESSION, FINGERPRINT, IDS, PLACED_AT, RoleClients},
    problem::Problem,
};
use events::{Client, Timestamp};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The bytes of the body, which may be none. `None` means that the body is marked as base64 and can't be decoded: for
/// nothing else does [`gateway`](crate::gateway) leave [`Body::Empty`].
pub fn body(request: &Request) -> Option<&[u8]> {
    match request.body() {
        Body::Empty => None,
        body => Some(body),
    }
}

/// The values of a header that differ. HTTP APIs and Function URLs join those of a repeated header by a comma, so a comma
/// separates values there. A REST API keeps them apart, so a comma is a character of the value.
pub fn values(request: &Request, name: &str) -> Vec<String> {
    let values = request.headers().get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let context = request.request_context_ref();
    let is_joined = matches!(context, Some(RequestContext::ApiGatewayV2(_)));
    let mut different: Vec<String> = Vec::new();
    for value in values {
        let parts = if is_joined {
            value.split(',').map(str::trim).collect()
        } else {
            vec![&*value]
        };
        for part in parts {
            if !different.iter().any(|known| known == part) {
                different.push(part.to_owned());
            }
        }
    }
    different
}

/// The X-Ray header of the invocation, unless it is malformed: SQS could refuse the order for it.
pub fn trace(request: &Request) -> Option<&str> {
    let header = request.lambda_context_ref()?.xray_trace_id.as_deref();
    header.filter(|header| is_trace(header))
}

/// The trace's id in an X-Ray header: its root.
pub fn root(header: &str) -> Option<&str> {
    let mut members = header.split(';');
    members.find_map(|member| member.strip_prefix("Root="))
}

/// The gateway's id of the request.
pub fn id(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.request_id.as_deref(),
        _ => None,
    }
}

/// True for `Root=1-XXXXXXXX-XXXXXXXXXXXXXXXXXXXXXXXX`, in hexadecimal, among other members, such as `Parent` and `Sampled`.
fn is_trace(header: &str) -> bool {
    let is_hex = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_root = |member: &str| {
        let root = member.strip_prefix("Root=1-");
        let root = root.and_then(|root| root.split_once('-'));
        root.is_some_and(|(time, random)| is_hex(time, 8) && is_hex(random, 24))
    };
    let is_member = |member: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:?|".contains(&byte);
        let member = member.split_once('=');
        member.is_some_and(|(name, value)| {
            !name.is_empty() && [name, value].iter().all(|part| part.bytes().all(allowed))
        })
    };
    header.len() <= 256 && header.split(';').any(is_root) && header.split(';').all(is_member)
}

/// The template's resource, or an HTTP API's route, which a Function URL has not; and the path as it was sent. The path may
/// begin with a stage, or with what a custom domain puts there.
pub fn paths(request: &Request) -> [&str; 2] {
    let (resource, path) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => (&context.resource_path, &context.path),
        Some(RequestContext::ApiGatewayV2(context)) => (&context.route_key, &context.http.path),
        _ => (&None, &None),
    };
    let [resource, path] = [resource, path].map(|text| text.as_deref().unwrap_or_default());
    // `GET /orders/{id}`
    let route = resource.split_once(' ').map(|(_, route)| route);
    [route.unwrap_or(resource), path]
}

/// A path without the slashes at its end and percent-encoding: `%2D` is a hyphen, as RFC 3986 says. A segment with an encoded
/// slash stays as it is, for such a slash separates nothing.
pub fn decoded(path: &str) -> String {
    let segments = path.trim_end_matches('/').split('/').map(segment);
    segments.collect::<Vec<_>>().join("/")
}

/// A segment of a path without percent-encoding, unless that hides a slash.
pub fn segment(encoded: &str) -> Cow<'_, str> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    if text.contains('/') {
        encoded.into()
    } else {
        text
    }
}

/// The slashes at the end of the path: each is a segment of its own for an address that is relative to it. None if they are
/// so many that such an address would be too long a header for a gateway.
pub fn slashes(request: &Request) -> Option<usize> {
    const MOST: usize = 16;
    let [_, path] = paths(request);
    let slashes = path.len() - path.trim_end_matches('/').len();
    (slashes <= MOST).then_some(slashes)
}

/// The time at which the order was placed, if the request says it, as the location in a 202 does.
pub fn placed_at(request: &Request) -> Option<Timestamp> {
    member(request, PLACED_AT)?.parse().ok()
}

/// The digits that the order's fingerprint starts with, if the request says them, as the location in a 202 does.
pub fn fingerprint(request: &Request) -> Result<Option<&str>, Problem> {
    member(request, FINGERPRINT).map(digits).transpose()
}

/// The id and the fingerprint's digits of an order that is one of many, `ID` or `ID.FINGERPRINT`.
pub fn with_fingerprint(text: &str) -> Result<(&str, Option<&str>), Problem> {
    match text.split_once('.') {
        Some((id, fingerprint)) => Ok((id, Some(digits(fingerprint)?))),
        None => Ok((text, None)),
    }
}

/// Checks the digits of a fingerprint. To pass over odd ones would be to show another order's outcome as if it were this one's.
fn digits(text: &str) -> Result<&str, Problem> {
    let is_good = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_good.then_some(text).ok_or(Problem::InvalidFingerprint)
}

/// The orders in the query, `?ids=A,B`, in the order sent.
pub fn ids(request: &Request) -> Vec<&str> {
    let ids = member(request, IDS).unwrap_or_default().split(',');
    ids.map(str::trim).filter(|id| !id.is_empty()).collect()
}

/// A value that [`gateway`](crate::gateway) has read from the event, by name.
fn member<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let authorizer = request.request_context_ref()?.authorizer()?;
    authorizer.fields.get(name)?.as_str()
}

/// The client that sent the request, as [`gateway`](crate::gateway) has read it.
pub fn client(request: &Request) -> Result<Client, Problem> {
    let name = match request.extensions().get() {
        Some(RoleClients::Session) => CLIENT_OF_SESSION,
        Some(RoleClients::Role) | None => CLIENT,
    };
    member(request, name)
        .map(Client::identified)
        .ok_or_else(|| {
            tracing::warn!("the authorizer's context names no client in a way that is known");
            Problem::UnnamedClient
        })
}
