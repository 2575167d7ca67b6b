//! Writes the event for a function: the REST proxy event, payload format 1.0.

use super::route::Matched;
use crate::{lambda::trace::Trace, template::model::ACCOUNT};
use axum::http::{HeaderMap, HeaderValue, request::Parts};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeMap, net::Ipv4Addr};
use uuid::Uuid;

/// The gateway listens on loopback, so this is every client's address.
const SOURCE_IP: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Headers that belong to the connection, not to the request; the gateway keeps them.
const NOT_PASSED_ON: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The time of a request, and its ids.
#[derive(Debug)]
pub struct Arrival {
    pub request_id: String,
    /// The request's own trace, or a new one.
    pub trace: Trace,
    pub at: Timestamp,
}

impl Arrival {
    pub fn now(trace: Option<Trace>) -> Self {
        Self {
            request_id: Uuid::new_v4().to_string(),
            trace: trace.unwrap_or_else(Trace::begin),
            at: Timestamp::now(),
        }
    }
}

/// The size of the request line and the header values.
pub fn head_size(parts: &Parts) -> usize {
    let line = format!("{} {} {:?}", parts.method, parts.uri, parts.version).len();
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

/// The event of a request to `path`, given without the stage. `signer` is the access key id of a signed request.
pub fn event(
    parts: &Parts,
    body: &[u8],
    path: &str,
    matched: &Matched,
    stage: &str,
    signer: Option<&str>,
    arrival: &Arrival,
) -> Value {
    let headers = headers(parts, arrival);
    let query = query(parts.uri.query().unwrap_or_default());
    let host = last(&headers, "Host").unwrap_or_default();
    let key = last(&headers, "X-Api-Key");
    json!({
        "resource": matched.route.path,
        "path": path,
        "httpMethod": parts.method.as_str(),
        "headers": last_values(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": or_null(&query, json!(last_values(&query))),
        "multiValueQueryStringParameters": or_null(&query, json!(query)),
        "pathParameters": or_null(&matched.parameters, json!(matched.parameters)),
        "stageVariables": null,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": host.rsplit_once(':').map_or(host, |(name, _)| name),
            "extendedRequestId": arrival.request_id,
            "httpMethod": parts.method.as_str(),
            "identity": {
                "accessKey": signer,
                "accountId": signer.map(|_| ACCOUNT),
                "apiKey": key,
                "apiKeyId": key,
                "caller": signer,
                "sourceIp": SOURCE_IP,
                "user": signer,
                "userAgent": last(&headers, "User-Agent"),
                // Each access key belongs to its own user.
                "userArn": signer.map(|key| format!("arn:aws:iam::{ACCOUNT}:user/{key}")),
            },
            "path": parts.uri.path(),
            "protocol": format!("{:?}", parts.version),
            "requestId": arrival.request_id,
            "requestTime": arrival.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "requestTimeEpoch": arrival.at.as_millisecond(),
            "resourceId": resource_id(&matched.route.path),
            "resourcePath": matched.route.path,
            "stage": stage,
        },
        "body": text(body),
        "isBase64Encoded": false,
    })
}

type Values = BTreeMap<String, Vec<String>>;

fn headers(parts: &Parts, arrival: &Arrival) -> Values {
    let mut headers = Values::new();
    for (name, value) in sent(&parts.headers) {
        headers.entry(title_case(name)).or_default().push(value);
    }
    let host = headers.entry("Host".to_owned()).or_insert_with(|| {
        let authority = parts.uri.authority();
        vec![authority.map_or_else(String::new, ToString::to_string)]
    });
    let port = host.last().and_then(|host| host.rsplit_once(':'));
    let port = port.map_or("80", |(_, port)| port).to_owned();
    let forwarded = match headers.get("X-Forwarded-For") {
        Some(sent) => format!("{}, {SOURCE_IP}", sent.join(", ")),
        None => SOURCE_IP.to_string(),
    };
    headers.insert("X-Forwarded-For".to_owned(), vec![forwarded]);
    headers.insert("X-Forwarded-Port".to_owned(), vec![port]);
    headers.insert("X-Forwarded-Proto".to_owned(), vec!["http".to_owned()]);
    headers
        .entry("X-Amzn-Trace-Id".to_owned())
        .or_insert_with(|| vec![arrival.trace.to_string()]);
    headers
}

fn sent(headers: &HeaderMap) -> impl Iterator<Item = (&str, String)> {
    headers
        .iter()
        .filter(|(name, _)| !NOT_PASSED_ON.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str(), value.into_owned())
        })
}

/// hyper lowercases names. Most clients send them capitalised like this, and AWS passes them on in that form.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

fn query(query: &str) -> Values {
    let mut values = Values::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        values.entry(decode(name)).or_default().push(decode(value));
    }
    values
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn last<'v>(values: &'v Values, name: &str) -> Option<&'v str> {
    values.get(name)?.last().map(String::as_str)
}

fn last_values(values: &Values) -> BTreeMap<&str, &str> {
    values
        .keys()
        .filter_map(|name| Some((name.as_str(), last(values, name)?)))
        .collect()
}

fn or_null<V>(map: &BTreeMap<String, V>, value: Value) -> Value {
    if map.is_empty() { Value::Null } else { value }
}

/// An API without `BinaryMediaTypes` passes every body on as text, and replaces bytes that aren't UTF-8.
fn text(body: &[u8]) -> Option<Cow<'_, str>> {
    (!body.is_empty()).then(|| String::from_utf8_lossy(body))
}

/// Six characters that depend only on the path, as AWS's do.
fn resource_id(path: &str) -> String {
    let hash = path.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    format!("{:06x}", hash & 0x00ff_ffff)
}

#[cfg(test)]
mod tests;
