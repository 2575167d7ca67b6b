//! Configures the SDK's clients.

use crate::{
    endpoints::Endpoints,
    environment::{optional, required},
    roots,
};
use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{SharedHttpConnector, http_client_fn},
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{SharedCredentialsProvider, StalledStreamProtectionConfig},
};
use std::{env, fs};

/// Pins the SDK's defaults: `BehaviorVersion::latest()` changes with updates, as it does in November 2026.
pub fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Configures the SDK. Region, credentials and [`Endpoints`] come only from the variables that Lambda sets. `services` lists
/// the services that are called, by the SDK's names. The SDK retries no call unless a client says so.
pub fn configure(
    connector: &SharedHttpConnector,
    services: &[&'static str],
    timeouts: TimeoutConfig,
) -> Result<SdkConfig> {
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let connector = connector.clone();
    let endpoints = Endpoints::read(services, optional)?;
    let mut config = SdkConfig::builder()
        .behavior_version(behavior_version())
        .retry_config(RetryConfig::disabled())
        // Each attempt ends by its own time-out, long before a stream counts as stalled.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .timeout_config(timeouts);
    config.set_use_fips(endpoints.variant("AWS_USE_FIPS_ENDPOINT", optional)?);
    config.set_use_dual_stack(endpoints.variant("AWS_USE_DUALSTACK_ENDPOINT", optional)?);
    Ok(config.service_config(endpoints).build())
}

/// Builds the connector, which opens and keeps connections. `AWS_CA_BUNDLE` names a file of roots to trust instead of the
/// system's; `SSL_CERT_FILE` names another place for the system's. Amazon's are read first, see `roots`.
pub fn connector() -> Result<SharedHttpConnector> {
    let bundle = env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty());
    let Some(file) = bundle else {
        return roots::of_system();
    };
    let pem = fs::read(&file).map_err(anyhow::Error::from);
    let pem = pem
        .and_then(roots::certificates)
        .with_context(|| format!("AWS_CA_BUNDLE: cannot use {}", file.display()))?;
    roots::of(TrustStore::empty().with_pem_certificate(pem))
}
