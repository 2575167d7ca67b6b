//! Reads the environment, and makes clients and logs by it. `ingest` has much the same, because neither may see the
//! other, and `events` no AWS.

mod endpoints;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;
use endpoints::Endpoints;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    env, fs, io,
    panic::{self, PanicHookInfo},
    process::ExitCode,
    str::FromStr,
    time::Duration,
};
use tracing::Subscriber;
use tracing_subscriber::{
    filter::{LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The services that are called, by the SDK's names of them.
const SERVICES: [&str; 3] = ["SQS", "DynamoDB", "EventBridge"];
/// The variable that [`service`] reads. It must be there.
pub const SERVICE: &str = "SERVICE";

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

/// Reads a variable that must be a number.
pub fn number<T: FromStr>(name: &str) -> Result<T> {
    let text = required(name)?;
    text.parse()
        .ok()
        .with_context(|| format!("the environment variable {name} is {text:?}, not a number"))
}

/// How long an order's row is kept from its outcome on, `KEEP_DAYS`; None for ever, if that is 0.
pub fn keep() -> Result<Option<Duration>> {
    Ok(days(number("KEEP_DAYS")?))
}

fn days(days: u32) -> Option<Duration> {
    (days > 0).then(|| Duration::from_hours(24 * u64::from(days)))
}

/// Logs JSON lines with the time, from the level that `AWS_LAMBDA_LOG_LEVEL` says, each with the request's id.
pub fn init_logs() {
    let level = level_of(&log_level());
    logs(io::stdout, level).init();
    panic::set_hook(Box::new(log_panic));
}

/// The name of this system among others of the account: its metrics' `Service`, and the source of its events.
pub fn service() -> String {
    env::var(SERVICE).unwrap_or_default()
}

/// The level that the function's logs are set to, as Lambda says it; empty if it says none.
pub fn log_level() -> String {
    env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default()
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
        // The runtime's span has the request's id, and is INFO: without it a warning has none.
        .with_max_level(level.clamp(LevelFilter::INFO, LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
        .with(filter_fn(move |line| {
            line.is_span() || *line.level() <= level
        }))
}

/// A call may take 5 s, each of its attempts 2 s: the SDK itself sets no limit.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// Pins what the SDK does where nothing is said: `latest()` would change with an update, as it does in November 2026.
pub fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Configures AWS's clients: region, credentials and [`endpoints`] come from the variables that Lambda sets, and from no
/// other source. A call is repeated by the SDK if [`retries`](crate::retries) says so, and no other.
pub fn aws() -> Result<SdkConfig> {
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let connector = connector()?; // One for all clients: each would read the roots for itself.
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

/// Makes what opens connections and keeps them. `AWS_CA_BUNDLE` names a file of the roots that it trusts instead of the
/// system's, and `SSL_CERT_FILE` another place for those.
/// `ingest` says why it trusts the system.
fn connector() -> Result<SharedHttpConnector> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{self, Log};
    use std::time::SystemTime;
    use tracing::subscriber::with_default;

    #[test]
    fn rows_are_kept_for_days() {
        let hours = |n| days(n).map(|keep| keep.as_secs() / 3600);
        assert_eq!([0, 1, 400].map(hours), [None, Some(24), Some(9600)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_that_never_answers_costs_two_seconds_an_attempt_and_five_a_call() {
        let config = faked::aws(|_, _| Some(faked::SILENCE)).into_builder();
        let config = config.timeout_config(timeouts()).build();
        let order = faked::pending(0, &[1]);
        let start = tokio::time::Instant::now();
        let table = faked::table(&config);
        let now = SystemTime::now().into();
        assert_eq!(table.failed(&order.placed, now).await, None);
        assert_eq!(start.elapsed().as_secs(), 2);
        assert!(table.put_failed(&order.placed, now).await.is_err());
        assert_eq!(start.elapsed().as_secs(), 2 + 5);
    }

    #[test]
    fn a_level_is_as_lambda_writes_it() {
        let check = |text: &str, expected| assert_eq!(level_of(text), expected, "{text}");
        check("", LevelFilter::INFO);
        check("INFO", LevelFilter::INFO);
        check("warn", LevelFilter::WARN);
        check("ERROR", LevelFilter::ERROR);
        check("FATAL", LevelFilter::ERROR);
        check("fatal", LevelFilter::ERROR);
        check("DEBUG", LevelFilter::DEBUG);
        check("TRACE", LevelFilter::TRACE);
        check("LOUD", LevelFilter::INFO);
    }

    #[test]
    fn a_line_has_its_requests_id_at_every_level() -> Result<()> {
        for (level, lines) in [
            ("DEBUG", 4),
            ("INFO", 3),
            ("WARN", 2),
            ("ERROR", 1),
            ("FATAL", 1),
        ] {
            let log = Log::default();
            let to = log.clone();
            with_default(logs(move || to.clone(), level_of(level)), || {
                // As lambda_runtime opens it.
                let span = tracing::info_span!("Lambda runtime invoke", requestId = "r-1");
                span.in_scope(|| {
                    tracing::error!("an error");
                    tracing::warn!("a warning");
                    tracing::info!("a fact");
                    tracing::debug!("a detail");
                });
            });
            let text = log.text();
            assert_eq!(text.lines().count(), lines, "{level}: {text}");
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line)?;
                assert_eq!(line["span"]["requestId"], "r-1", "{level}: {line}");
            }
        }
        Ok(())
    }
}
