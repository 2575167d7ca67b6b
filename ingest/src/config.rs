//! Reads the configuration of the functions `ingest` and `status`.

use crate::{gateway::RoleClients, metrics::Metrics};
use anyhow::{Context, Result};
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use events::{OrderIds, Secret};
use function::{
    aws::configure,
    endpoints::Endpoints,
    environment::{optional, required, switch},
    logs::log_level,
};
use std::time::Duration;
use tokio::time::timeout;

/// Services that are called, by the SDK's names.
const SERVICES: [&str; 2] = ["SQS", "DynamoDB"];
/// Longest time that a cold start spends in [`connect`].
const CONNECT: Duration = Duration::from_secs(1);

/// Creates the metrics, which are written as log lines.
pub fn metrics() -> Result<Metrics> {
    let service = required("SERVICE")?;
    Ok(Metrics::new(service, &log_level(), |line| {
        println!("{line}");
    }))
}

/// Returns the ids, signed with `ORDER_ID_SECRET`. During a rotation, `ORDER_ID_SECRET_NEXT` is recognised before it becomes
/// the signing secret, and `ORDER_ID_SECRET_PREVIOUS` after it was.
pub fn order_ids() -> Result<OrderIds> {
    ids_by(optional)
}

fn ids_by(variable: impl Fn(&str) -> Result<Option<String>>) -> Result<OrderIds> {
    let secret = |name| {
        let text = variable(name)?;
        text.map(|text| Secret::new(text).context(name)).transpose()
    };
    let current = secret("ORDER_ID_SECRET")?;
    let accepted = [
        secret("ORDER_ID_SECRET_NEXT")?,
        secret("ORDER_ID_SECRET_PREVIOUS")?,
    ];
    Ok(OrderIds::new(
        current.context("the environment variable ORDER_ID_SECRET is missing or empty")?,
        accepted.into_iter().flatten().collect(),
    ))
}

/// Reads `ROLE_SESSIONS_ARE_CLIENTS`: whether each session of an IAM role is a client. By default, the role is one.
pub fn role_clients() -> Result<RoleClients> {
    Ok(match switch("ROLE_SESSIONS_ARE_CLIENTS", optional)? {
        Some(true) => RoleClients::Session,
        Some(false) | None => RoleClients::Role,
    })
}

/// Opens a connection before the first request needs it: during init a function has a whole CPU, afterwards only the share
/// that its memory buys. It connects where SQS's calls will go: to the address in the environment, if there is one, else to
/// `url`, a queue's. Any response keeps the connection open. If connecting fails, the first call will report it.
pub async fn connect(connector: &SharedHttpConnector, url: &str) {
    let endpoints = Endpoints::read(&SERVICES, optional).ok();
    let endpoint = endpoints.as_ref().and_then(|all| all.get("SQS"));
    let Ok(request) = HttpRequest::get(endpoint.unwrap_or(url)) else {
        return;
    };
    let exchange = async {
        if let Ok(answer) = connector.call(request).await {
            // A connection is reused only if the whole response was read.
            drop(ByteStream::new(answer.into_body()).collect().await);
        }
    };
    drop(timeout(CONNECT, exchange).await);
}

/// Limits a call to 3 s, and each of its attempts to 1 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(3))
        .build()
}

/// Configures the SDK, with [`timeouts`]. Only calls that `retries` configures are retried: all calls to a service share one
/// quota of retries.
pub fn aws(connector: &SharedHttpConnector) -> Result<SdkConfig> {
    configure(connector, &SERVICES, timeouts())
}

#[cfg(test)]
mod tests;
