//! Reads a request that came through [`gateway`](crate::gateway).

use events::Client;
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use serde_json::Value;

/// The bytes of the body, which may be none. `None` means that the body is marked as base64 and can't be decoded: for
/// nothing else does [`gateway`](crate::gateway) leave [`Body::Empty`].
pub fn body(request: &Request) -> Option<&[u8]> {
    match request.body() {
        Body::Empty => None,
        body => Some(body),
    }
}

/// The value of a header. Several values are joined by a comma, as HTTP has it.
pub fn header(request: &Request, name: &str) -> Option<String> {
    let values = request.headers().get_all(name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
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

/// Gives the client that sent the request: the authorizer's principal, else the API key's id, else nobody. An authorizer's context is its
/// author's: the functions pass over whatever else is in there, of whatever type.
pub fn client(request: &Request) -> Client {
    let names = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => {
            let field = |name| context.authorizer.fields.get(name).unwrap_or(&Value::Null);
            [
                field("principalId").as_str(),
                field("claims")["sub"].as_str(),
                field("jwt")["claims"]["sub"].as_str(),
                field("lambda")["principalId"].as_str(),
                context.identity.api_key_id.as_deref(),
            ]
        }
        Some(RequestContext::ApiGatewayV2(context)) => {
            let authorizer = context.authorizer.as_ref();
            let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref());
            let lambda = authorizer.and_then(|authorizer| authorizer.fields.get("principalId"));
            [
                jwt.and_then(|jwt| jwt.claims.get("sub"))
                    .map(String::as_str),
                lambda.and_then(Value::as_str),
                None,
                None,
                None,
            ]
        }
        _ => [None; 5],
    };
    let mut names = names.into_iter().flatten().filter(|name| !name.is_empty());
    names
        .next()
        .map_or_else(Client::anonymous, Client::identified)
}
