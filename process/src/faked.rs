//! For tests: orders, and an AWS that is faked at HTTP, below the SDK.

pub mod rows;

use crate::{
    records::{Pending, Record},
    table::OrderTable,
};
use aws_sdk_dynamodb::config::{
    Builder, Credentials, Region, SharedCredentialsProvider,
    retry::{RetryConfig, RetryPartition, TokenBucket},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use events::{Client, OrderIds, OrderPlaced, Secret, order::kit};
use function::aws::behavior_version;
use serde_json::{Value, json};
use std::{
    fmt::{self, Debug, Formatter},
    future,
};

/// An answer: the HTTP status and the body. `null` is an empty body.
pub type Answer = (u16, Value);

/// No answer: the call never returns.
pub const SILENCE: Answer = (0, Value::Null);

/// Configures clients whose calls are answered by `answer`, from a call's name and body. If it returns None, the call
/// succeeds.
pub fn aws(answer: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> SdkConfig {
    let connector = SharedHttpConnector::new(Fake(Box::new(answer)));
    SdkConfig::builder()
        .behavior_version(behavior_version())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "key", "secret", None, None, "test",
        )))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

type Answers = dyn Fn(&str, &Value) -> Option<Answer> + Send + Sync;

struct Fake(Box<Answers>);

impl Debug for Fake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().expect("a body in memory");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let target = request.headers().get("x-amz-target").expect("a target");
        let (_, call) = target.split_once('.').expect("a service and a call");
        let (status, body) = (self.0)(call, &body).unwrap_or((200, json!({})));
        let Ok(status) = StatusCode::try_from(status) else {
            return HttpConnectorFuture::new(future::pending());
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// The tables `orders` and `claimed`.
pub fn table(config: &SdkConfig) -> OrderTable {
    // Clients of a service share a quota of retries, and tests run in parallel.
    let bucket = RetryPartition::custom("test").token_bucket(TokenBucket::new(500));
    let config = Builder::from(config).retry_partition(bucket.build());
    OrderTable::new(
        &aws_sdk_dynamodb::Client::from_conf(config.build()),
        "orders".to_owned(),
        "claimed".to_owned(),
    )
}

/// An answer that refuses a call.
pub fn refused(status: u16, code: &str) -> Answer {
    (status, json!({ "__type": code }))
}

/// An order of record `record`, with these claims.
pub fn order(record: usize, claims: &[(&str, u64)]) -> Pending {
    let ids = OrderIds::new(Secret::new("s".repeat(32)).expect("long enough"), vec![]);
    let client = Client::anonymous();
    let mut random = [0; 12];
    random[..8].copy_from_slice(&record.to_be_bytes());
    let placed_at = "2026-11-22T09:00:00Z".parse().expect("a time");
    let id = ids.fresh(&client, random);
    Pending {
        record: Record(record),
        bytes: 300,
        receives: 1,
        placed: OrderPlaced::new(id, client, placed_at, kit::order_of(claims)),
    }
}

/// An order of record `record`, which claims one each of the keys `a1`, `a2`, ….
pub fn pending(record: usize, keys: &[u8]) -> Pending {
    let keys: Vec<_> = keys.iter().map(|n| format!("a{n}")).collect();
    let claims: Vec<_> = keys.iter().map(|key| (key.as_str(), 1)).collect();
    order(record, &claims)
}
