//! The API's description, for authors of clients.

/// `openapi.yaml`, as JSON.
pub const JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
