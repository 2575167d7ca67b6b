//! Reads a SAM template. It refuses everything that it doesn't understand, so that nothing is silently ignored.
//!
//! `yaml` makes a tree of values that know their line; `parameters`, `conditions` and `resolve` remove the intrinsic functions
//! from it; then one file per kind of resource turns properties into the model.

mod api;
mod conditions;
mod function;
mod globals;
pub mod model;
mod parameters;
mod queue;
mod resolve;
mod resource;
mod role;
mod secret;
mod table;
#[cfg(test)]
mod tests;
pub mod watch;
pub(crate) mod yaml;

use anyhow::{Context, Result};
use model::{Place, Stack};
use resolve::Scope;
use resource::{Kind, Resource};
use secret::Secrets;
use std::{collections::BTreeMap, fs, path::Path};
use yaml::Node;

/// Reads the template at `path` with `overrides` of its parameters, resolved for `place`.
///
/// `secrets` takes a secret's logical id and returns its generated value; it is called once per secret. An error is one line
/// (`{:#}`): the file, the line, the place in the template, and what is supported instead.
pub fn load(
    path: &Path,
    overrides: &BTreeMap<String, String>,
    place: &Place,
    secrets: &mut dyn FnMut(&str) -> String,
) -> Result<Stack> {
    fs::read_to_string(path)
        .map_err(anyhow::Error::from)
        .and_then(|source| read(&source, overrides, place, secrets))
        .with_context(|| path.display().to_string())
}

/// Only SAM reads `Mappings`, to decide on a deployment: `FindInMap` is refused wherever a value is read.
const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Globals",
    "Resources",
    "Outputs",
];

/// A template whose resources are known and can be referred to.
struct Opened<'t> {
    scope: Scope,
    resources: Vec<Resource<'t>>,
}

fn open<'t>(
    template: &'t Node,
    overrides: &BTreeMap<String, String>,
    place: &Place,
) -> Result<Opened<'t>> {
    template.only(&SECTIONS)?;
    let transform = template.require("Transform")?;
    if transform.text()? != "AWS::Serverless-2016-10-31" {
        return Err(transform.fault("isn't supported; supported: AWS::Serverless-2016-10-31"));
    }
    let parameters = parameters::read(template.get("Parameters"), overrides)?;
    let mut scope = Scope::new(parameters, place);
    if let Some(conditions) = template.get("Conditions") {
        scope.conditions = conditions::evaluate(conditions, &scope)?;
    }
    let resources = resource::read(template, &scope)?;
    scope.references = resource::references(&resources, &scope, place)?;
    Ok(Opened { scope, resources })
}

fn read(
    source: &str,
    overrides: &BTreeMap<String, String>,
    place: &Place,
    secrets: &mut dyn FnMut(&str) -> String,
) -> Result<Stack> {
    let template = yaml::load(source)?;
    let Opened { scope, resources } = open(&template, overrides, place)?;
    let mut secrets = Secrets::new(secrets);
    let mut queues = BTreeMap::new();
    let mut tables = BTreeMap::new();
    let mut roles = BTreeMap::new();
    let mut apis = Vec::new();
    for resource in &resources {
        let id = resource.id.clone();
        match resource.kind {
            Kind::Queue => {
                queues.insert(id, queue::read(resource, &scope)?);
            }
            Kind::Table => {
                tables.insert(id, table::read(resource, &scope)?);
            }
            Kind::Role => {
                roles.insert(id, role::read(resource, &scope)?);
            }
            Kind::Secret => secrets.add(secret::read(resource, &scope)?),
            Kind::Api => apis.push((resource, api::read(resource, &scope)?)),
            // `watch` reads the first three.
            Kind::Alarm
            | Kind::CompositeAlarm
            | Kind::Dashboard
            | Kind::Function
            | Kind::LogGroup
            | Kind::Nothing => {}
        }
    }
    queue::check_redrive(&resources, &queues)?;

    let mut api = one_api(&template, apis)?;
    let mut functions = BTreeMap::new();
    for resource in resources.iter().filter(|r| r.kind == Kind::Function) {
        let (function, routes) = function::read(resource, &scope, &queues, &mut secrets)?;
        api::add_routes(&mut api, resource, routes)?;
        functions.insert(resource.id.clone(), function);
    }

    Ok(Stack {
        functions,
        queues,
        tables,
        roles,
        api,
        outputs: outputs(template.get("Outputs"), &scope)?,
    })
}

fn one_api(template: &Node, apis: Vec<(&Resource, model::Api)>) -> Result<model::Api> {
    let mut apis = apis.into_iter();
    let Some((_, api)) = apis.next() else {
        return Err(template
            .require("Resources")?
            .fault("has no AWS::Serverless::Api; one is needed"));
    };
    match apis.next() {
        Some((second, _)) => Err(second.node.fault("is a second API; one is supported")),
        None => Ok(api),
    }
}

fn outputs(outputs: Option<&Node>, scope: &Scope) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let Some(outputs) = outputs else {
        return Ok(values);
    };
    for (name, output) in outputs.map()? {
        output.only(&["Description", "Value", "Export", "Condition"])?;
        if scope.applies(output)? {
            let value = scope.value(output.require("Value")?)?;
            values.insert(name.clone(), value.text()?.to_owned());
        }
    }
    Ok(values)
}
