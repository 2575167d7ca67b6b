//! Reads the environment, and makes what the functions share: logs, connections, the SDK's configuration.

mod endpoints;

use crate::{gateway::RoleClients, metrics::Metrics};
use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
};
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use endpoints::Endpoints;
use events::{OrderIds, Secret};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    env, fs, io,
    panic::{self, PanicHookInfo},
    process::ExitCode,
    time::Duration,
};
use tokio::time::timeout;
use tracing::Subscriber;
use tracing_subscriber::{
    filter::{LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The services that are called, by the SDK's names of them.
const SERVICES: [&str; 2] = ["SQS", "DynamoDB"];
/// A cold start waits this long for [`connect`] at most.
const CONNECT: Duration = Duration::from_secs(1);

/// Reads a variable that must be there; the error names it, and not its value, which may be a secret.
pub fn required(name: &str) -> Result<String> {
    let value = env::var(name)
        .with_context(|| format!("the environment variable {name} is missing or not UTF-8"))?;
    let is_blank = value.trim().is_empty();
    ensure!(!is_blank, "the environment variable {name} is empty");
    // CloudFormation resolves it at deployment. A secret that anybody can read in the template is none.
    let is_reference = value.contains("{{resolve:");
    ensure!(
        !is_reference,
        "the environment variable {name} holds a reference that nobody has resolved"
    );
    Ok(value)
}

/// Reads a variable that may be missing or empty.
pub fn optional(name: &str) -> Result<Option<String>> {
    let is_there = env::var_os(name).is_some_and(|value| !value.is_empty());
    is_there.then(|| required(name)).transpose()
}

/// Makes the metrics, as lines of the log.
pub fn metrics() -> Result<Metrics> {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default();
    let service = required("SERVICE")?;
    Ok(Metrics::new(service, &level, |line| println!("{line}")))
}

/// Reads how long rows of orders are kept, `KEEP_DAYS`; None for ever, if that is 0.
pub fn keep() -> Result<Option<Duration>> {
    let name = "KEEP_DAYS";
    let days = required(name)?.parse::<u32>();
    let days = days.with_context(|| format!("the environment variable {name} is not a number"))?;
    Ok((days > 0).then(|| Duration::from_hours(24 * u64::from(days))))
}

/// Reads how many seconds a worker may take for a batch, `PROCESS_TIMEOUT_SECONDS`.
pub fn worker_timeout() -> Result<Duration> {
    let name = "PROCESS_TIMEOUT_SECONDS";
    let seconds = required(name)?.parse();
    let seconds =
        seconds.with_context(|| format!("the environment variable {name} is not a number"))?;
    Ok(Duration::from_secs(seconds))
}

/// Signs ids with `ORDER_ID_SECRET`. While it is rotated, ids of `ORDER_ID_SECRET_NEXT` are recognised before it signs,
/// and those of `ORDER_ID_SECRET_PREVIOUS` after it has.
pub fn order_ids() -> Result<OrderIds> {
    let secret = |name: &'static str| Secret::new(required(name)?).context(name);
    let set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let accepted = ["ORDER_ID_SECRET_NEXT", "ORDER_ID_SECRET_PREVIOUS"]
        .into_iter()
        .filter(set)
        .map(secret);
    Ok(OrderIds::new(
        secret("ORDER_ID_SECRET")?,
        accepted.collect::<Result<_>>()?,
    ))
}

/// Reads whether each session of an IAM role is a client, `ROLE_SESSIONS_ARE_CLIENTS`. By default a role is one.
pub fn role_clients() -> Result<RoleClients> {
    let name = "ROLE_SESSIONS_ARE_CLIENTS";
    Ok(match endpoints::switch(name, optional)? {
        Some(true) => RoleClients::Session,
        Some(false) | None => RoleClients::Role,
    })
}

/// Logs JSON lines with the time, from the level that `AWS_LAMBDA_LOG_LEVEL` says, each with the request's id.
pub fn init_logs() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default();
    logs(io::stdout, level_of(&level)).init();
    panic::set_hook(Box::new(log_panic));
}

/// The least severe level that is logged. Nothing is more severe than ERROR here, so FATAL leaves that.
pub fn level_of(level: &str) -> LevelFilter {
    match &*level.to_ascii_uppercase() {
        "FATAL" => LevelFilter::ERROR,
        "" => LevelFilter::INFO,
        level => level.parse().unwrap_or(LevelFilter::INFO),
    }
}

/// Runs the function to its end. Why it couldn't start is one line of the log.
pub fn main(function: impl FnOnce() -> Result<()>) -> ExitCode {
    init_logs();
    let Err(error) = function() else {
        return ExitCode::SUCCESS;
    };
    tracing::error!(error = format!("{error:#}"), "the function could not start");
    ExitCode::FAILURE
}

/// Logs a panic as one line. It says where, and not the panic's message, which may quote what a client sent.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, "the function panicked");
}

/// Writes logs to `to`, from a level. TRACE is taken as DEBUG: at TRACE the SDK and the runtime log whole
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
        // The runtime's span has the request's id, and is INFO: without it a warning has none.
        .with_max_level(level.clamp(LevelFilter::INFO, LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
        .with(filter_fn(move |line| {
            line.is_span() || *line.level() <= level
        }))
}

/// Makes what opens connections and keeps them. `AWS_CA_BUNDLE` names a file of the roots that it trusts instead of the
/// system's, and `SSL_CERT_FILE` another place for those.
///
/// The system has more than a hundred roots, and a cold start reads them all. Amazon's five alone would save most of that,
/// and Amazon advises against it: on the day that a service moves to another root, every cold start would fail.
pub fn connector() -> Result<SharedHttpConnector> {
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let bundle = env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty());
    let Some(file) = bundle else {
        return Ok(SharedHttpConnector::new(connector.build()));
    };
    let roots = fs::read(&file)
        .map_err(anyhow::Error::from)
        .and_then(certificates)
        .with_context(|| format!("AWS_CA_BUNDLE: cannot use {}", file.display()))?;
    let trusted = TrustStore::empty().with_pem_certificate(roots);
    let context = TlsContext::builder().with_trust_store(trusted).build()?;
    let connector = connector.tls_context(context).build();
    Ok(SharedHttpConnector::new(connector))
}

/// Checks that a PEM file has a certificate or more, and none that cannot be read: the SDK would panic at it.
fn certificates(pem: Vec<u8>) -> Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    ensure!(!roots.is_empty(), "there is no certificate in it");
    Ok(pem)
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

/// Pins what the SDK does where nothing is said: `latest()` would change with an update, as it does in November 2026.
pub fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Configures the SDK: a [`connector`], [`timeouts`], and region, credentials and [`endpoints`] from the variables that
/// Lambda sets, and no other source. A call is repeated if [`retries`](crate::retries) says so, and no other: all calls to a
/// service share one quota of retries.
pub fn aws(connector: &SharedHttpConnector) -> Result<SdkConfig> {
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let connector = connector.clone();
    let endpoints = Endpoints::read(&SERVICES, optional)?;
    let mut config = SdkConfig::builder()
        .behavior_version(behavior_version())
        .retry_config(RetryConfig::disabled())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .timeout_config(timeouts());
    config.set_use_fips(endpoints.variant("AWS_USE_FIPS_ENDPOINT", optional)?);
    config.set_use_dual_stack(endpoints.variant("AWS_USE_DUALSTACK_ENDPOINT", optional)?);
    Ok(config.service_config(endpoints).build())
}

#[cfg(test)]
mod tests;
