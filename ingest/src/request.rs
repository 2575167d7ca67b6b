//! The gateway's event: what these functions use of a REST API's (v1), an HTTP API's or a Function URL's (v2).

use base64::{Engine, engine::general_purpose::STANDARD};
use events::Client;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use std::borrow::Cow;

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Who sends it.
    pub client: Client,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// `Idempotency-Key`, as sent; several are joined by a comma, as HTTP has it.
    pub idempotency_key: Option<String>,
    /// The last part of the path: the order's id in `/orders/{id}`.
    pub id: String,
    /// Whether it is for `/orders/batch`.
    pub is_batch: bool,
    /// None if it is not the base64 that it claims to be.
    pub body: Option<Vec<u8>>,
}

impl From<Event> for Request {
    fn from(event: Event) -> Request {
        let context = event.request_context.unwrap_or_default();
        let headers = event
            .multi_value_headers
            .or(event.headers)
            .unwrap_or_default();
        let path = event.raw_path.or(event.path).unwrap_or_default();
        // The resource is the template's; the path may begin with a stage, or with what a custom domain puts there.
        let is_batch = [event.resource.as_deref().unwrap_or_default(), &path]
            .iter()
            .any(|place| place.trim_end_matches('/').ends_with("/orders/batch"));
        let in_path = || path.rsplit('/').next().unwrap_or_default().to_owned();
        let body = event.body.unwrap_or_default();
        Request {
            method: event
                .http_method
                .or(context.http.map(|http| http.method))
                .unwrap_or_default(),
            client: client(&context.authorizer, context.identity),
            content_type: headers.content_type,
            idempotency_key: headers.idempotency_key,
            id: event
                .path_parameters
                .and_then(|parameters| parameters.id)
                .unwrap_or_else(in_path),
            is_batch,
            body: if event.is_base64_encoded {
                STANDARD.decode(body).ok()
            } else {
                Some(body.into_bytes())
            },
        }
    }
}

/// The authorizer's principal, else the API key's id, else nobody. An authorizer's context is its author's: whatever
/// else is in there, of whatever type, is passed over.
fn client(authorizer: &Value, identity: Option<Identity>) -> Client {
    let principals = [
        "/principalId",
        "/claims/sub",
        "/jwt/claims/sub",
        "/lambda/principalId",
    ];
    let principals = principals
        .iter()
        .filter_map(|pointer| authorizer.pointer(pointer)?.as_str());
    let api_key = identity.and_then(|identity| identity.api_key_id);
    let mut names = principals
        .chain(api_key.as_deref())
        .filter(|name| !name.is_empty());
    names
        .next()
        .map_or_else(Client::anonymous, Client::identified)
}

/// An event as the gateway sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    http_method: Option<String>,
    resource: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    headers: Option<Headers>,
    multi_value_headers: Option<Headers>,
    path_parameters: Option<PathParameters>,
    request_context: Option<RequestContext>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct PathParameters {
    id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct RequestContext {
    http: Option<Http>,
    identity: Option<Identity>,
    #[serde(default)]
    authorizer: Value,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    api_key_id: Option<String>,
}

/// The headers that matter, whatever their case, with one value (`headers`) or several (`multiValueHeaders`).
#[derive(Debug, Default)]
struct Headers {
    content_type: Option<String>,
    idempotency_key: Option<String>,
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pick;
        impl<'de> Visitor<'de> for Pick {
            type Value = Headers;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("headers")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(name) = map.next_key::<Cow<'_, str>>()? {
                    if name.eq_ignore_ascii_case("content-type") {
                        headers.content_type = map.next_value::<Header>()?.joined();
                    } else if name.eq_ignore_ascii_case("idempotency-key") {
                        headers.idempotency_key = map.next_value::<Header>()?.joined();
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(Pick)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Header {
    One(String),
    Many(Vec<String>),
    Null,
}

impl Header {
    fn joined(self) -> Option<String> {
        match self {
            Header::One(value) => Some(value),
            Header::Many(values) => Some(values.join(", ")),
            Header::Null => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: Value) -> Result<Request, serde_json::Error> {
        serde_json::from_value::<Event>(event).map(Request::from)
    }

    #[test]
    fn a_client_is_its_principal_or_its_api_key() -> Result<(), serde_json::Error> {
        let check = |context: Value, expected: &str| {
            let request = read(json!({"httpMethod": "GET", "requestContext": context}))?;
            assert_eq!(request.client.as_str(), expected);
            Ok(())
        };
        check(json!(null), "anonymous")?;
        check(
            json!({"authorizer": null, "identity": {"apiKeyId": null}}),
            "anonymous",
        )?;
        check(json!({"identity": {"apiKeyId": "key"}}), "key")?;
        check(
            json!({"authorizer": {"principalId": "ann"}, "identity": {"apiKeyId": "key"}}),
            "ann",
        )?;
        check(json!({"authorizer": {"claims": {"sub": "ann"}}}), "ann")?;
        check(
            json!({"authorizer": {"jwt": {"claims": {"sub": "ann"}, "scopes": null}}}),
            "ann",
        )?;
        check(
            json!({"authorizer": {"claims": "ann", "jwt": "eyJ", "principalId": "ben"}}),
            "ben",
        )?;
        check(
            json!({"authorizer": {"principalId": "", "claims": {"sub": 7}}, "identity": {"apiKeyId": "key"}}),
            "key",
        )?;
        check(
            json!({"authorizer": {"lambda": {"principalId": "ann", "plan": 1}}}),
            "ann",
        )
    }

    #[test]
    fn headers_are_found_whatever_their_case_and_count() -> Result<(), serde_json::Error> {
        let check = |headers: Value, expected: Option<&str>| {
            let request = read(headers)?;
            assert_eq!(request.idempotency_key.as_deref(), expected);
            Ok(())
        };
        check(json!({"headers": null, "multiValueHeaders": null}), None)?;
        check(json!({"headers": {"idempotency-KEY": "k"}}), Some("k"))?;
        check(
            json!({"headers": {"Idempotency-Key": "l"}, "multiValueHeaders": {"Idempotency-Key": ["k", "l"]}}),
            Some("k, l"),
        )
    }

    #[test]
    fn a_body_is_decoded_or_known_to_be_broken() -> Result<(), serde_json::Error> {
        let check = |event: Value, expected: Option<&[u8]>| {
            assert_eq!(read(event)?.body.as_deref(), expected);
            Ok(())
        };
        check(json!({"body": null}), Some(b""))?;
        check(json!({"body": "{}", "isBase64Encoded": false}), Some(b"{}"))?;
        check(
            json!({"body": "e30=", "isBase64Encoded": true}),
            Some(b"{}"),
        )?;
        check(json!({"body": "e3", "isBase64Encoded": true}), None)?;
        check(json!({"body": "{}", "isBase64Encoded": true}), None)
    }

    #[test]
    fn a_batch_is_known_by_its_resource_or_its_path() -> Result<(), serde_json::Error> {
        let check = |event: Value, expected: bool| {
            assert_eq!(read(event)?.is_batch, expected);
            Ok(())
        };
        let (orders, batch) = ("/orders", "/orders/batch");
        check(json!({"resource": batch, "path": batch}), true)?;
        check(
            json!({"resource": batch, "path": "/shop/orders/batch/"}),
            true,
        )?;
        check(json!({"resource": "/{proxy+}", "path": batch}), true)?;
        check(json!({"rawPath": batch, "path": null}), true)?;
        check(json!({"rawPath": "/v1/orders/batch"}), true)?;
        check(json!({"rawPath": "/v1/orders/batch/"}), true)?;
        check(json!({"resource": orders, "path": orders}), false)?;
        check(json!({"rawPath": "/v1/orders"}), false)?;
        check(json!({"rawPath": "/orders/batch/1"}), false)?;
        check(json!({"rawPath": "/batch"}), false)?;
        check(json!({"rawPath": "/reorders/batch"}), false)?;
        check(json!({"resource": null}), false)
    }

    #[test]
    fn an_id_comes_from_the_route_or_from_the_path() -> Result<(), serde_json::Error> {
        let check = |event: Value, expected: &str| {
            assert_eq!(read(event)?.id, expected);
            Ok(())
        };
        check(
            json!({"path": "/orders/a", "pathParameters": {"id": "b"}}),
            "b",
        )?;
        check(
            json!({"rawPath": "/v1/orders/a", "pathParameters": null}),
            "a",
        )?;
        check(json!({}), "")
    }
}
