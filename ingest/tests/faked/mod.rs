//! A real SDK client whose HTTP is answered here, and the samples to send.

use anyhow::{Context, Result};
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, HttpClient, Region, SharedCredentialsProvider,
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::{Builder, SdkConfig};
use events::{OrderIds, Secret};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// The X-Ray header of every request.
pub const TRACE: &str = "Root=1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b";

/// Where the samples are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// A sample's text.
pub fn sample(name: &str) -> Result<String> {
    fs::read_to_string(folder().join(format!("{name}.json"))).with_context(|| name.to_owned())
}

/// The secret under which the samples' ids are valid.
pub fn ids() -> Result<OrderIds> {
    let secret = Secret::new("development-secret-not-for-production")?;
    Ok(OrderIds::new(secret, vec![]))
}

/// An AWS that gives each request its answer: a status and a body.
pub fn answering(
    answer: impl Fn(Value) -> (u16, Value) + Send + Sync + 'static,
) -> impl HttpClient + 'static {
    infallible_client_fn(move |request: http::Request<SdkBody>| {
        let request = request.body().bytes().map(serde_json::from_slice);
        let (status, body) = answer(request.and_then(Result::ok).unwrap_or_default());
        http::Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string())
            .expect("a response")
    })
}

/// How to reach that AWS.
pub fn config(client: impl HttpClient + 'static) -> Builder {
    let credentials = Credentials::new("a", "b", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
}
