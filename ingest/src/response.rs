//! What the gateway is answered; REST APIs, HTTP APIs and Function URLs take the same form.

use events::OrderId;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// An HTTP response with a JSON body.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// HTTP status.
    pub status_code: u16,
    /// Each with one value.
    pub headers: BTreeMap<&'static str, String>,
    /// Text.
    pub body: String,
    is_base64_encoded: bool,
}

impl Response {
    /// A response with this body.
    pub fn json(status_code: u16, content_type: &str, body: &impl Serialize) -> Response {
        let headers = BTreeMap::from([("content-type", content_type.to_owned())]);
        let body =
            serde_json::to_string(body).expect("bodies have string keys and no fallible parts");
        Response {
            status_code,
            headers,
            body,
            is_base64_encoded: false,
        }
    }

    /// An order that is on the queue, as far as is known; to be asked about again in a while.
    pub fn queued(status_code: u16, id: OrderId) -> Response {
        let body = json!({"id": id, "status": "queued"});
        Response::json(status_code, "application/json", &body).with("retry-after", "2")
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.insert(name, value.into());
        self
    }
}
