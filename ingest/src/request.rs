//! Reads a request that came through [`gateway`](crate::gateway).

use crate::{gateway::CLIENT, problem::Problem};
use events::Client;
use lambda_http::{Body, Request, RequestExt, request::RequestContext};

/// The bytes of the body, which may be none. `None` means that the body is marked as base64 and can't be decoded: for
/// nothing else does [`gateway`](crate::gateway) leave [`Body::Empty`].
pub fn body(request: &Request) -> Option<&[u8]> {
    match request.body() {
        Body::Empty => None,
        body => Some(body),
    }
}

/// The values of a header that differ. HTTP APIs and Function URLs join those of a repeated header by a comma, so a comma
/// separates values there.
pub fn values(request: &Request, name: &str) -> Vec<String> {
    let values = request.headers().get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let context = request.request_context_ref();
    if !matches!(context, Some(RequestContext::ApiGatewayV2(_))) {
        return values.map(Into::into).collect(); // `gateway` has left the values that differ.
    }
    let mut different: Vec<String> = Vec::new();
    for joined in values {
        for value in joined.split(',').map(str::trim) {
            if !different.iter().any(|known| known == value) {
                different.push(value.to_owned());
            }
        }
    }
    different
}

/// The X-Ray header of the invocation.
pub fn trace(request: &Request) -> Option<&str> {
    request.lambda_context_ref()?.xray_trace_id.as_deref()
}

/// The template's resource, which HTTP APIs and Function URLs don't tell, and the path. The path may begin with a stage,
/// or with what a custom domain puts there.
pub fn paths(request: &Request) -> [&str; 2] {
    let (resource, path) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => (&context.resource_path, &context.path),
        Some(RequestContext::ApiGatewayV2(context)) => (&None, &context.http.path),
        _ => (&None, &None),
    };
    [resource, path].map(|text| text.as_deref().unwrap_or_default())
}

/// The client that sent the request, as [`gateway`](crate::gateway) has read it.
pub fn client(request: &Request) -> Result<Client, Problem> {
    let context = request.request_context_ref();
    let authorizer = context.and_then(RequestContext::authorizer);
    let client = authorizer.and_then(|authorizer| authorizer.fields.get(CLIENT)?.as_str());
    client.map(Client::identified).ok_or_else(|| {
        tracing::warn!("the authorizer's context names no client in a way that is known");
        Problem::UnnamedClient
    })
}
