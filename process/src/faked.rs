//! For tests: AWS, faked below the SDK at HTTP.

use crate::table::OrderTable;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig,
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::{Value, json};
use std::time::SystemTime;

/// An error: the HTTP status, and the body.
pub type Answer = (u16, Value);

/// Clients whose calls are answered by `answer`, given a call's name and body; without an answer a call succeeds.
pub fn aws(answer: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> SdkConfig {
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let body = request.body().bytes().expect("a body in memory");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let target = request.headers()["x-amz-target"].to_str().expect("text");
        let (_, call) = target.split_once('.').expect("a service and a call");
        let (status, body) = answer(call, &body).unwrap_or((200, json!({})));
        http::Response::builder()
            .status(status)
            .body(body.to_string())
            .expect("a response")
    });
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "key", "secret", None, None, "test",
        )))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build()
}

/// The tables `orders` and `articles`.
pub fn table(config: &SdkConfig) -> OrderTable {
    OrderTable::new(
        aws_sdk_dynamodb::Client::new(config),
        "orders".to_owned(),
        "articles".to_owned(),
        SystemTime::now,
    )
}

/// The refusal of a call.
pub fn refused(status: u16, code: &str) -> Answer {
    (status, json!({ "__type": code }))
}
