//! Finds the addresses that calls go to instead of AWS's, as the SDKs' documentation says: `AWS_ENDPOINT_URL_SQS` and the
//! like come before `AWS_ENDPOINT_URL`, and `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` switches off both. `aws-config` would read
//! them, and much else that a function has no use for. `ingest` and `process` have the same file.

use anyhow::{Result, bail, ensure};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// The services that have an address of their own, by the SDK's names of them: the variable that says it, and the address.
#[derive(Debug, Clone)]
pub struct Endpoints(BTreeMap<&'static str, (String, String)>);

impl Endpoints {
    /// Reads the addresses of these services. `variable` returns None for a variable that is missing or empty: `sam local`
    /// hands on those that nobody set as empty ones.
    pub fn read(
        services: &[&'static str],
        variable: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Self> {
        let mut found = BTreeMap::new();
        if switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &variable)? == Some(true) {
            return Ok(Self(found));
        }
        let of_all = "AWS_ENDPOINT_URL";
        for service in services {
            let of_service = format!("{of_all}_{}", service.to_ascii_uppercase());
            for name in [&of_service, of_all] {
                let Some(url) = variable(name)? else { continue };
                let is_http = url.starts_with("http://") || url.starts_with("https://");
                ensure!(
                    is_http && HttpRequest::get(&url).is_ok(),
                    "the environment variable {name} is no address that begins with http:// or https://"
                );
                found.insert(*service, (name.to_owned(), url));
                break;
            }
        }
        Ok(Self(found))
    }

    /// Returns a service's address, if it has one of its own.
    pub fn get(&self, service: &str) -> Option<&str> {
        self.0.get(service).map(|(_, url)| url.as_str())
    }

    /// Reads a variable that asks for a variant of AWS's addresses. A service with an address of its own has none.
    pub fn variant(
        &self,
        name: &str,
        variable: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Option<bool>> {
        let is_on = switch(name, variable)?;
        if is_on == Some(true)
            && let Some((other, _)) = self.0.values().next()
        {
            bail!("{name} and {other} exclude each other");
        }
        Ok(is_on)
    }
}

/// The SDK's clients ask for the address of their own service, by its name.
impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.get(key.service_id()).map(ToOwned::to_owned)
    }
}

/// Reads a variable that is `true` or `false`, or isn't set.
pub fn switch(
    name: &str,
    variable: impl Fn(&str) -> Result<Option<String>>,
) -> Result<Option<bool>> {
    let text = variable(name)?.unwrap_or_default();
    match &*text.to_ascii_lowercase() {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => bail!("the environment variable {name} is neither true nor false"),
    }
}
