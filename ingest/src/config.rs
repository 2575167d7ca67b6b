//! Reads what the functions `ingest` and `status` are configured by.

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

/// The services that are called, by the SDK's names of them.
const SERVICES: [&str; 2] = ["SQS", "DynamoDB"];
/// A cold start waits this long for [`connect`] at most.
const CONNECT: Duration = Duration::from_secs(1);

/// Makes the metrics, as lines of the log.
pub fn metrics() -> Result<Metrics> {
    let service = required("SERVICE")?;
    Ok(Metrics::new(service, &log_level(), |line| {
        println!("{line}");
    }))
}

/// Signs ids with `ORDER_ID_SECRET`. While it is rotated, ids of `ORDER_ID_SECRET_NEXT` are recognised before it signs,
/// and those of `ORDER_ID_SECRET_PREVIOUS` after it has.
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

/// Reads whether each session of an IAM role is a client, `ROLE_SESSIONS_ARE_CLIENTS`. By default a role is one.
pub fn role_clients() -> Result<RoleClients> {
    Ok(match switch("ROLE_SESSIONS_ARE_CLIENTS", optional)? {
        Some(true) => RoleClients::Session,
        Some(false) | None => RoleClients::Role,
    })
}

/// Opens a connection before the first request needs it: during init a function has a whole CPU, afterwards the share
/// that its memory buys. It goes where SQS's calls go: to an address that the environment names, or else to `url`, a queue.
/// Whatever is answered, the connection is kept; if there is none, the first call says so.
pub async fn connect(connector: &SharedHttpConnector, url: &str) {
    let endpoints = Endpoints::read(&SERVICES, optional).ok();
    let endpoint = endpoints.as_ref().and_then(|all| all.get("SQS"));
    let Ok(request) = HttpRequest::get(endpoint.unwrap_or(url)) else {
        return;
    };
    let exchange = async {
        if let Ok(answer) = connector.call(request).await {
            // A connection is only used again when its answer was read to the end.
            drop(ByteStream::new(answer.into_body()).collect().await);
        }
    };
    drop(timeout(CONNECT, exchange).await);
}

/// Gives a call 3 s, and each of its attempts 1 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(3))
        .build()
}

/// Configures the SDK, with [`timeouts`]. A call is retried if `retries` says so, and no other: all calls to
/// a service share one quota of retries.
pub fn aws(connector: &SharedHttpConnector) -> Result<SdkConfig> {
    configure(connector, &SERVICES, timeouts())
}

#[cfg(test)]
mod tests;
