//! Finds the addresses that replace AWS's own, as the SDKs document them: `AWS_ENDPOINT_URL_SQS` and the like take precedence
//! over `AWS_ENDPOINT_URL`, and `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` switches both off. `aws-config` would read them too,
//! along with much that a function doesn't need.

use crate::environment::switch;
use anyhow::{Result, bail, ensure};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// Services with an address of their own, by the SDK's names: the variable that sets the address, and the address.
#[derive(Debug, Clone)]
pub struct Endpoints(BTreeMap<&'static str, (String, String)>);

impl Endpoints {
    /// Reads the addresses of these services. `variable` returns None for a variable that is missing or empty: `sam local`
    /// passes unset variables as empty ones.
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
                    "the environment variable {name} is not an address that begins with http:// or https://"
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

    /// Reads a variable that selects a variant of AWS's addresses. A service with its own address has no variants.
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

/// SDK clients look up the address of their service by its name.
impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.get(key.service_id()).map(ToOwned::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 3] = ["SQS", "DynamoDB", "EventBridge"];

    fn read(variables: &[(&str, &str)]) -> Result<Endpoints> {
        Endpoints::read(&ALL, |name| Ok(of(variables, name)))
    }

    fn of(variables: &[(&str, &str)], wanted: &str) -> Option<String> {
        let (_, value) = variables.iter().find(|(name, _)| *name == wanted)?;
        Some((*value).to_owned())
    }

    #[test]
    fn a_services_own_address_comes_before_that_of_all() -> Result<()> {
        let check = |variables: &[(&str, &str)], expected: [Option<&str>; 3]| {
            let endpoints = read(variables)?;
            let found = ALL.map(|service| endpoints.get(service));
            assert_eq!(found, expected, "{variables:?}");
            // Look it up as the SDK's clients do.
            for (service, expected) in ALL.into_iter().zip(expected) {
                let key = ServiceConfigKey::builder().service_id(service);
                let key = key
                    .env("AWS_ENDPOINT_URL")
                    .profile("endpoint_url")
                    .build()?;
                assert_eq!(endpoints.load_config(key).as_deref(), expected);
            }
            anyhow::Ok(())
        };
        let (one, two) = ("http://localhost:4566", "https://vpce-1.sqs.test");
        let all = ("AWS_ENDPOINT_URL", one);
        let off = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
        check(&[], [None; 3])?;
        check(&[all], [Some(one); 3])?;
        check(&[("AWS_ENDPOINT_URL_SQS", two)], [Some(two), None, None])?;
        check(
            &[("AWS_ENDPOINT_URL_DYNAMODB", two)],
            [None, Some(two), None],
        )?;
        check(
            &[("AWS_ENDPOINT_URL_EVENTBRIDGE", two)],
            [None, None, Some(two)],
        )?;
        check(
            &[("AWS_ENDPOINT_URL_DYNAMODB", two), all],
            [Some(one), Some(two), Some(one)],
        )?;
        check(&[("AWS_ENDPOINT_URL_S3", "nowhere"), all], [Some(one); 3])?;
        for value in ["true", "TRUE"] {
            check(
                &[all, ("AWS_ENDPOINT_URL_SQS", two), (off, value)],
                [None; 3],
            )?;
        }
        for value in ["false", "False"] {
            check(&[all, (off, value)], [Some(one); 3])?;
        }
        Ok(())
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_variables_name() {
        for (name, value) in [
            ("AWS_ENDPOINT_URL", "localhost:4566"),
            ("AWS_ENDPOINT_URL", "http://"),
            ("AWS_ENDPOINT_URL_SQS", "http://a host"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "tcp://localhost:8000"),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", "events"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1"),
        ] {
            let error = read(&[(name, value)])
                .map(drop)
                .map_err(|error| error.to_string());
            let says = error.as_ref().is_err_and(|error| error.contains(name));
            assert!(says, "{name}={value}: {error:?}");
        }
    }

    #[test]
    fn a_service_with_an_address_of_its_own_has_no_variant() -> Result<()> {
        let (name, url) = ("AWS_USE_FIPS_ENDPOINT", "https://a.test");
        let check = |value: &str, variables: &[(&str, &str)]| {
            read(variables)?.variant(name, |_| Ok(Some(value.to_owned())))
        };
        assert_eq!(check("true", &[])?, Some(true));
        assert_eq!(check("FALSE", &[("AWS_ENDPOINT_URL", url)])?, Some(false));
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(
            check("true", &[("AWS_ENDPOINT_URL", url), ignored])?,
            Some(true)
        );
        for other in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"] {
            let error = check("true", &[(other, url)])
                .expect_err("both are set")
                .to_string();
            assert_eq!(error, format!("{name} and {other} exclude each other"));
        }
        assert!(check("yes", &[]).is_err_and(|error| error.to_string().contains(name)));
        Ok(())
    }
}
