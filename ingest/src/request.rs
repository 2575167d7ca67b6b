//! Reads requests that came through [`gateway`](crate::gateway).

use crate::{
    gateway::{Known, Query},
    problem::Problem,
};
use events::{Client, Timestamp};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Returns the bytes of the body, which may be empty. `None` means that the body is marked as base64 but can't be decoded:
/// [`gateway`](crate::gateway) leaves [`Body::Empty`] only in that case.
pub fn body(request: &Request) -> Option<&[u8]> {
    match request.body() {
        Body::Empty => None,
        body => Some(body),
    }
}

/// Returns the distinct values of a header. HTTP APIs and Function URLs join the values of a repeated header by commas, so a
/// comma separates values there. A REST API keeps them apart, so a comma is part of the value.
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

/// Returns the X-Ray header of the invocation, unless it is malformed: SQS might refuse the order because of it.
pub fn trace(request: &Request) -> Option<&str> {
    let header = request.lambda_context_ref()?.xray_trace_id.as_deref();
    header.filter(|header| is_trace(header))
}

/// Returns the root of an X-Ray header, which is the trace's id.
pub fn root(header: &str) -> Option<&str> {
    let mut members = header.split(';');
    members.find_map(|member| member.strip_prefix("Root="))
}

/// Returns the gateway's id of the request.
pub fn id(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.request_id.as_deref(),
        _ => None,
    }
}

/// Returns whether the header contains `Root=1-XXXXXXXX-XXXXXXXXXXXXXXXXXXXXXXXX`, in hexadecimal. It may have other members,
/// such as `Parent` and `Sampled`.
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

/// Returns the template's resource or the HTTP API's route, which a Function URL lacks, and the path as it was sent. The path
/// may begin with a stage or a custom domain's base path.
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

/// Decodes the percent-encoding of a path, as RFC 3986 defines it, and cuts off slashes at its end. A segment with an encoded
/// slash stays as it is: such a slash separates nothing.
pub fn decoded(path: &str) -> String {
    let segments = path.trim_end_matches('/').split('/').map(segment);
    segments.collect::<Vec<_>>().join("/")
}

/// Decodes a segment of a path, unless it contains an encoded slash.
pub fn segment(encoded: &str) -> Cow<'_, str> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    if text.contains('/') {
        encoded.into()
    } else {
        text
    }
}

/// Returns the number of slashes at the end of the path: in a relative address, each counts as a segment. None if there are so
/// many that the address would be too long a header for a gateway.
pub fn slashes(request: &Request) -> Option<usize> {
    const MOST: usize = 16;
    let [_, path] = paths(request);
    let slashes = path.len() - path.trim_end_matches('/').len();
    (slashes <= MOST).then_some(slashes)
}

/// Returns the time at which the order was placed, if the request has it. The location in a 202 does.
pub fn placed_at(request: &Request) -> Option<Timestamp> {
    query(request)?.placed_at.as_deref()?.parse().ok()
}

/// Returns the first digits of the order's fingerprint, if the request has them. The location in a 202 does.
pub fn fingerprint(request: &Request) -> Result<Option<&str>, Problem> {
    let sent = query(request).and_then(|query| query.fingerprint.as_deref());
    sent.map(digits).transpose()
}

/// Parses one of many orders, `ID` or `ID.FINGERPRINT`, into the id and the fingerprint's digits.
pub fn with_fingerprint(text: &str) -> Result<(&str, Option<&str>), Problem> {
    match text.split_once('.') {
        Some((id, fingerprint)) => Ok((id, Some(digits(fingerprint)?))),
        None => Ok((text, None)),
    }
}

/// Checks the digits of a fingerprint. Ignoring invalid ones could show another order's outcome as this one's.
fn digits(text: &str) -> Result<&str, Problem> {
    let is_good = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_good.then_some(text).ok_or(Problem::InvalidFingerprint)
}

/// Returns the orders in the query, `?ids=A,B`, in the sequence sent.
pub fn ids(request: &Request) -> Vec<&str> {
    let ids = query(request).and_then(|query| query.ids.as_deref());
    let ids = ids.unwrap_or_default().split(',');
    ids.map(str::trim).filter(|id| !id.is_empty()).collect()
}

fn query(request: &Request) -> Option<&Query> {
    Some(&request.extensions().get::<Known>()?.query)
}

/// Returns the client that sent the request, as [`gateway`](crate::gateway) determined it.
pub fn client(request: &Request) -> Result<Client, Problem> {
    let known = request.extensions().get::<Known>();
    known.and_then(|known| known.client.clone()).ok_or_else(|| {
        tracing::warn!("the authorizer's context names no client in any known field");
        Problem::UnnamedClient
    })
}
