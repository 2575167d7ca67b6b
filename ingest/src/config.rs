//! Reads the environment, and makes what the functions share: logs, connections, the SDK's configuration.

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, timeout::TimeoutConfig,
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
use events::{OrderIds, Secret};
use lambda_runtime::tracing::subscriber::{
    filter::LevelFilter,
    fmt::{self, MakeWriter},
    util::SubscriberInitExt,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    env, fs, io,
    panic::{self, PanicHookInfo},
    time::Duration,
};
use tokio::time::timeout;
use tracing::Subscriber;

/// A cold start waits this long for [`connect`] at most.
const CONNECT: Duration = Duration::from_secs(1);

/// Reads a variable that must be there; the error names it.
pub fn required(name: &str) -> Result<String> {
    env::var(name)
        .with_context(|| format!("the environment variable {name} is missing or not UTF-8"))
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

/// Logs JSON lines with the time, from the level that `AWS_LAMBDA_LOG_LEVEL` says, each with the request's id.
pub fn init_logs() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok());
    logs(io::stdout, level.unwrap_or(LevelFilter::INFO)).init();
    panic::set_hook(Box::new(log_panic));
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
        .with_max_level(level.min(LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
}

/// Makes what opens connections and keeps them. It trusts Amazon's roots alone: to read the hundred and more of the system
/// costs more than the rest of a cold start. `AWS_CA_BUNDLE` names a file of others.
pub fn connector() -> Result<SharedHttpConnector> {
    let bundle = env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty());
    let roots = match bundle {
        Some(file) => fs::read(&file)
            .map_err(anyhow::Error::from)
            .and_then(certificates)
            .with_context(|| format!("AWS_CA_BUNDLE: cannot use {}", file.display()))?,
        None => include_bytes!("roots.pem").to_vec(),
    };
    let trusted = TrustStore::empty().with_pem_certificate(roots);
    Ok(SharedHttpConnector::new(
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(TlsContext::builder().with_trust_store(trusted).build()?)
            .build(),
    ))
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
/// that its memory buys. It goes where calls go: to `AWS_ENDPOINT_URL`, or else to `url`, a resource of the service.
/// Whatever is answered, the connection is kept; if there is none, the first call says so.
pub async fn connect(connector: &SharedHttpConnector, url: &str) {
    let endpoint = endpoint();
    let url = endpoint.as_deref().unwrap_or(url);
    let Ok(request) = HttpRequest::get(url) else {
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

/// Configures the SDK: a [`connector`], [`timeouts`], and region, credentials and endpoint from the variables that Lambda
/// sets, and no other source.
pub fn aws(connector: &SharedHttpConnector) -> Result<SdkConfig> {
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let connector = connector.clone();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .timeout_config(timeouts());
    config.set_endpoint_url(endpoint());
    Ok(config.build())
}

/// The address that calls go to instead of AWS. `sam local` hands a variable that nobody set on as an empty one.
fn endpoint() -> Option<String> {
    let url = env::var("AWS_ENDPOINT_URL").ok();
    url.filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_trusted() {
        let roots = include_bytes!("roots.pem").to_vec();
        assert!(certificates(roots.clone()).is_ok());
        assert!(certificates(Vec::new()).is_err());
        assert!(certificates(b"no certificate".to_vec()).is_err());
        let named = |base64: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
        };
        // One that is good doesn't help one that isn't.
        for bad in [named("!!"), named("AAAA"), named("")] {
            let both = [roots.clone(), bad.into_bytes()].concat();
            assert!(certificates(both).is_err());
        }
        assert!(certificates(roots[..300].to_vec()).is_err(), "cut off");
    }
}
