//! Reads the environment, and makes clients and logs by it. `ingest` has much the same, because neither may see the
//! other, and `events` no AWS.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;
use lambda_runtime::tracing::subscriber::{
    filter::LevelFilter,
    fmt::{self, MakeWriter},
    util::SubscriberInitExt,
};
use std::{
    env, io,
    panic::{self, PanicHookInfo},
    str::FromStr,
    time::Duration,
};
use tracing::Subscriber;

/// Reads a variable that must be there; the error names it.
pub fn required(name: &str) -> Result<String> {
    env::var(name)
        .with_context(|| format!("the environment variable {name} is missing or not UTF-8"))
}

/// Reads a variable that must be a number.
pub fn number<T: FromStr>(name: &str) -> Result<T> {
    let text = required(name)?;
    text.parse()
        .ok()
        .with_context(|| format!("the environment variable {name} is {text:?}, not a number"))
}

/// Logs JSON lines with the time, from the level that `AWS_LAMBDA_LOG_LEVEL` says, each with the request's id.
pub fn init_logs() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok());
    logs(io::stdout, level.unwrap_or(LevelFilter::INFO)).init();
    panic::set_hook(Box::new(log_panic));
}

/// A panic is a line of the log, too. It says where, and not its message, which may quote what a client sent.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, "panicked");
}

/// The logs, written to `to`, from a level. TRACE counts as DEBUG: at TRACE the SDK and the runtime log whole
/// requests, with all that clients sent.
pub fn logs<W>(to: W, level: LevelFilter) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level.min(LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
}

/// A call may take 5 s, each of its attempts 2 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// Configures AWS's clients: region, credentials and endpoint come from the variables that Lambda sets, and from no
/// other source.
pub fn aws() -> Result<SdkConfig> {
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    // One for all clients: each would read the system's roots for itself.
    let connector = SharedHttpConnector::new(
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build(),
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .timeout_config(timeouts());
    // `sam local` hands a variable that nobody set on as an empty one.
    config.set_endpoint_url(
        env::var("AWS_ENDPOINT_URL")
            .ok()
            .filter(|url| !url.is_empty()),
    );
    Ok(config.build())
}
