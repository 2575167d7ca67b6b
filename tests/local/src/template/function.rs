//! Parses `AWS::Serverless::Function` and its events.

use super::{
    api,
    model::{EventSource, Function, Queue, Route},
    queue,
    resolve::Scope,
    resource::Resource,
    secret::Secrets,
    yaml::Node,
};
use anyhow::Result;
use std::{collections::BTreeMap, path::Path, time::Duration};

const READ: [&str; 12] = [
    "AutoPublishAlias",
    "FunctionName",
    "CodeUri",
    "Handler",
    "Runtime",
    "Timeout",
    "MemorySize",
    "Environment",
    "ReservedConcurrentExecutions",
    "Events",
    "LoggingConfig",
    "Role",
];
/// Properties for tracing and deployment, and permissions that matter only without a role. There is only one version here.
const DROPPED: [&str; 12] = [
    "Architectures",
    "AutoPublishAliasAllProperties",
    "DeploymentPreference",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "Tags",
    "Tracing",
    "VersionDescription",
];

/// Reads one function and its routes.
pub fn read(
    resource: &Resource,
    scope: &Scope,
    queues: &BTreeMap<String, Queue>,
    secrets: &mut Secrets,
) -> Result<(Function, Vec<Route>)> {
    let properties = resource.properties(scope, &READ, &DROPPED)?;
    if let Some(runtime) = properties.get("Runtime")
        && !matches!(runtime.text()?, "provided.al2023" | "provided.al2")
    {
        return Err(runtime.fault("isn't supported; supported: provided.al2023, provided.al2"));
    }
    let number = |key: &str, range, default: u64| {
        let given = properties.get(key).map(|node| node.number(range));
        Ok::<_, anyhow::Error>(given.transpose()?.unwrap_or(default))
    };
    let mut function = Function {
        name: resource.name(scope, "FunctionName")?,
        alias: text(&properties, "AutoPublishAlias")?,
        package: package(properties.require("CodeUri")?)?,
        binary: binary(resource, scope)?,
        timeout: Duration::from_secs(number("Timeout", 1..=900, 3)?),
        memory_size: u32::try_from(number("MemorySize", 128..=10_240, 128)?)?,
        environment: environment(&properties, secrets)?,
        reserved_concurrency: properties
            .get("ReservedConcurrentExecutions")
            .map(|node| node.number(0..=u64::from(u32::MAX)))
            .transpose()?,
        event_sources: Vec::new(),
        role: properties.get("Role").map(role).transpose()?,
        log_group: log_group(&properties)?,
    };
    let mut routes = Vec::new();
    let events = properties.get("Events").map(Node::map).transpose()?;
    for (_, event) in events.unwrap_or_default() {
        event.only(&["Type", "Properties"])?;
        let details = event.require("Properties")?;
        let kind = event.require("Type")?;
        match kind.text()? {
            "Api" => routes.push(api::route(details, &resource.id)?),
            "SQS" => {
                let source = event_source(details, &function, queues)?;
                function.event_sources.extend(source);
            }
            _ => return Err(kind.fault("isn't supported; supported: Api, SQS")),
        }
    }
    Ok((function, routes))
}

fn text(properties: &Node, key: &str) -> Result<Option<String>> {
    let node = properties.get(key);
    node.map(|node| Ok(node.text()?.to_owned())).transpose()
}

fn package(code_uri: &Node) -> Result<String> {
    let folder = Path::new(code_uri.text()?).file_name();
    folder
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| code_uri.fault("the folder of a workspace member is expected"))
}

/// The logical id, with which the ARN of a role ends here.
fn role(arn: &Node) -> Result<String> {
    let (_, id) = arn
        .text()?
        .rsplit_once(":role/")
        .ok_or_else(|| arn.fault("the ARN of a role is expected"))?;
    Ok(id.to_owned())
}

fn log_group(properties: &Node) -> Result<Option<String>> {
    let logging = properties.get("LoggingConfig");
    logging.map_or(Ok(None), |logging| text(logging, "LogGroup"))
}

fn binary(resource: &Resource, scope: &Scope) -> Result<String> {
    let metadata = scope.value(resource.node.require("Metadata")?)?;
    let method = metadata.require("BuildMethod")?;
    if method.text()? != "rust-cargolambda" {
        return Err(method.fault("isn't supported; supported: rust-cargolambda"));
    }
    let properties = metadata.require("BuildProperties")?;
    properties.only(&["Binary"])?;
    Ok(properties.require("Binary")?.text()?.to_owned())
}

fn environment(properties: &Node, secrets: &mut Secrets) -> Result<BTreeMap<String, String>> {
    let Some(environment) = properties.get("Environment") else {
        return Ok(BTreeMap::new());
    };
    environment.only(&["Variables"])?;
    let variables = environment.require("Variables")?.map()?.iter();
    variables
        .map(|(name, value)| Ok((name.clone(), secrets.fill_in(value)?)))
        .collect()
}

/// Reads an event source mapping; `None` if it is disabled.
fn event_source(
    properties: &Node,
    function: &Function,
    queues: &BTreeMap<String, Queue>,
) -> Result<Option<EventSource>> {
    properties.only(&[
        "Queue",
        "BatchSize",
        "Enabled",
        "MaximumBatchingWindowInSeconds",
        "ScalingConfig",
        "FunctionResponseTypes",
    ])?;
    let (id, queue) = queue::by_arn(queues, properties.require("Queue")?)?;
    // Lambda refuses this too: a message must not come back while it is still being processed.
    if queue.visibility_timeout < function.timeout {
        return Err(properties.fault(format!(
            "the visibility timeout of {id} is less than the function's timeout"
        )));
    }
    let batch_size = properties.get("BatchSize");
    let batch_size = batch_size.map(|node| node.number(1..=10_000)).transpose()?;
    let batch_size = batch_size.unwrap_or(10);
    let window = properties.get("MaximumBatchingWindowInSeconds");
    let window = window.map(|node| node.number(0..=300)).transpose()?;
    let window = Duration::from_secs(window.unwrap_or(0));
    if batch_size > 10 && window.is_zero() {
        return Err(properties
            .fault("a BatchSize over 10 needs a MaximumBatchingWindowInSeconds of at least 1"));
    }
    let maximum_concurrency = match properties.get("ScalingConfig") {
        Some(scaling) => {
            scaling.only(&["MaximumConcurrency"])?;
            let maximum = scaling.get("MaximumConcurrency");
            maximum.map(|node| node.number(2..=1000)).transpose()?
        }
        None => None,
    };
    let enabled = properties.get("Enabled").map_or(Ok(true), Node::boolean)?;
    Ok(enabled.then_some(EventSource {
        queue: id.clone(),
        batch_size,
        window,
        maximum_concurrency,
        report_batch_item_failures: report_batch_item_failures(properties)?,
    }))
}

fn report_batch_item_failures(properties: &Node) -> Result<bool> {
    let Some(types) = properties.get("FunctionResponseTypes") else {
        return Ok(false);
    };
    for kind in types.list()? {
        if kind.text()? != "ReportBatchItemFailures" {
            return Err(kind.fault("isn't supported; supported: ReportBatchItemFailures"));
        }
    }
    Ok(!types.list()?.is_empty())
}
