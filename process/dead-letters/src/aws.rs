//! Finds the stack, and connects to it as AWS's tools do.

use crate::{dead::Stack, options::Target, queues::Queues, table::OrdersTable};
use anyhow::{Context, Result};
use aws_config::{
    ConfigLoader, Region, SdkConfig,
    environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_sqs::config::{Credentials, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use function::aws::behavior_version;
use std::time::Duration;

/// Where `cargo run --bin local` serves SQS and DynamoDB by default.
const LOCAL: &str = "http://127.0.0.1:3001";

/// The names of a stack's resources.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// URL of the dead-letter queue.
    pub dead_letters: String,
    /// URL of the queue of orders.
    pub orders: String,
    /// Name of the table of orders.
    pub table: String,
}

impl Names {
    /// Takes each name from its option, else from the variable that `.ci/stack-env` sets, or, for a `local`, from the
    /// template.
    pub fn of(target: &Target, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let name = |given: &Option<String>, option: &str, name: &str, of_local: &str| {
            let default = || {
                if target.local {
                    Some(of_local.to_owned())
                } else {
                    variable(name).filter(|value| !value.is_empty())
                }
            };
            given.clone().or_else(default).with_context(|| {
                format!(
                    "neither {option} nor {name} names the stack: run eval \"$(.ci/stack-env STACK)\" first, or use --local"
                )
            })
        };
        let services = target.endpoint_url.as_deref().unwrap_or(LOCAL);
        let services = services.trim_end_matches('/');
        let queue = |name: &str| format!("{services}/000000000000/{name}");
        Ok(Self {
            dead_letters: name(
                &target.dead_letter_queue,
                "--dead-letter-queue",
                "ORDERS_DEAD_LETTER_QUEUE_URL",
                &queue("OrdersDeadLetterQueue"),
            )?,
            orders: name(
                &target.queue,
                "--queue",
                "ORDERS_QUEUE_URL",
                &queue("OrdersQueue"),
            )?,
            table: name(&target.table, "--table", "ORDERS_TABLE", "OrdersTable")?,
        })
    }
}

/// Connects to a stack.
pub async fn connect(target: &Target, names: Names) -> Stack {
    let config = config(target).await;
    Stack {
        queues: Queues::new(
            aws_sdk_sqs::Client::new(&config),
            names.dead_letters,
            names.orders,
        ),
        table: OrdersTable::new(&aws_sdk_dynamodb::Client::new(&config), names.table),
    }
}

async fn config(target: &Target) -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    // The SDK itself sets no limit. An attempt may include a receive that waits.
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_secs(45))
        .build();
    // Retries stay at the SDK's defaults, which variables and the profile can change, as in AWS's other tools: an operator can
    // wait.
    let mut loader = aws_config::defaults(behavior_version())
        .http_client(http.clone())
        .timeout_config(timeouts);
    let mut endpoint = target.endpoint_url.as_deref();
    let mut region = target.region.clone().map(Region::new);
    if target.local {
        endpoint = endpoint.or(Some(LOCAL));
        region = region.or(Some(Region::from_static("us-east-1")));
        let credentials = Credentials::new("dead-letters", "local", None, None, "local");
        loader = loader.credentials_provider(credentials);
    }
    if let Some(profile) = &target.profile {
        loader = with_profile(loader, profile, &mut region, http).await;
    }
    if let Some(region) = region {
        loader = loader.region(region);
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

/// Lets a requested profile take precedence over keys in the environment, as with `aws --profile`. The SDK would prefer the
/// keys, which belong to another account if `.ci/stack-env` set them for one.
async fn with_profile(
    loader: ConfigLoader,
    profile: &str,
    region: &mut Option<Region>,
    http: SharedHttpClient,
) -> ConfigLoader {
    if region.is_none() {
        let of_profile = ProfileFileRegionProvider::builder().profile_name(profile);
        let of_environment = EnvironmentVariableRegionProvider::new();
        *region = RegionProviderChain::first_try(of_environment)
            .or_else(of_profile.build())
            .region()
            .await;
    }
    let provider = ProviderConfig::without_region()
        .with_region(region.clone())
        .with_http_client(http);
    let credentials = ProfileFileCredentialsProvider::builder().configure(&provider);
    let credentials = credentials.profile_name(profile).build();
    loader
        .profile_name(profile)
        .credentials_provider(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use clap::Parser;

    fn names(arguments: &str, variables: &[(&str, &str)]) -> Result<Names> {
        let options = Options::try_parse_from(arguments.split(' '))?;
        let variable = |wanted: &str| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(name, _)| *name == wanted)?;
            Some((*value).to_owned())
        };
        Names::of(&options.target, variable)
    }

    #[test]
    fn options_come_before_variables_and_local_needs_none() -> Result<()> {
        let variables = [
            ("ORDERS_DEAD_LETTER_QUEUE_URL", "https://d"),
            ("ORDERS_QUEUE_URL", "https://q"),
            ("ORDERS_TABLE", "orders"),
        ];
        let check = |arguments: &str, variables: &[(&str, &str)], expected: [&str; 3]| {
            let Names {
                dead_letters,
                orders,
                table,
            } = names(arguments, variables)?;
            assert_eq!([&*dead_letters, &*orders, &*table], expected, "{arguments}");
            anyhow::Ok(())
        };
        let local = [
            "http://127.0.0.1:3001/000000000000/OrdersDeadLetterQueue",
            "http://127.0.0.1:3001/000000000000/OrdersQueue",
            "OrdersTable",
        ];
        check(
            "dead-letters list",
            &variables,
            ["https://d", "https://q", "orders"],
        )?;
        check(
            "dead-letters list --queue https://x",
            &variables,
            ["https://d", "https://x", "orders"],
        )?;
        let elsewhere = [
            "http://127.0.0.1:4001/000000000000/OrdersDeadLetterQueue",
            "http://127.0.0.1:4001/000000000000/OrdersQueue",
            "OrdersTable",
        ];
        check(
            "dead-letters list --local --endpoint-url http://127.0.0.1:4001/",
            &[],
            elsewhere,
        )?;
        check("dead-letters list --local", &variables, local)?;
        check("dead-letters list --local", &[], local)
    }

    #[test]
    fn a_stack_without_a_name_is_an_error() {
        for variables in [
            &[][..],
            &[("ORDERS_DEAD_LETTER_QUEUE_URL", ""), ("ORDERS_TABLE", "t")],
        ] {
            let error = names("dead-letters list", variables).expect_err("no stack is named");
            assert!(
                error.to_string().contains("ORDERS_DEAD_LETTER_QUEUE_URL"),
                "{error}"
            );
        }
    }
}
