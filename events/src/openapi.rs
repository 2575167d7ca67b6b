//! The description of the API, for those who write its clients.

/// `openapi.yaml`, as JSON.
pub const JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
