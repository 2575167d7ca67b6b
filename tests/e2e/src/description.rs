//! Checks each answer of the API, and each request that it accepts, against `events/openapi.yaml`.

use crate::reply::Reply;
use anyhow::{Context, Result, bail, ensure};
use events::openapi::JSON;
use http::{HeaderMap, Method};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

/// Stricter than for clients: an outcome has one of today's values, and a reason if and only if it is a rejection.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(JSON).expect("build.rs of events writes JSON");
    let outcome = &mut document["components"]["schemas"]["Outcome"];
    for name in ["status", "reason"] {
        // A kind of order that is never rejected has no reasons.
        if let Some(member) = outcome["properties"].get_mut(name) {
            member["enum"] = member["x-extensible-enum"].clone();
        }
    }
    outcome["if"] = json!({"properties": {"status": {"const": "rejected"}}});
    outcome["then"] = json!({"required": ["reason"]});
    outcome["else"] = json!({"properties": {"reason": false}});
    document
});
/// Validators by the schema's text.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// A request as it was sent.
#[derive(Debug)]
pub struct Sent<'a> {
    pub method: &'a Method,
    /// The path with its query.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// Checks that the description has this answer to this request, and that an accepted request is valid under it.
pub fn check(sent: &Sent<'_>, reply: &Reply) -> Result<()> {
    let found = operation(sent.method, sent.path);
    let checked = match found {
        Some(operation) => {
            answer(operation, sent, reply).and_then(|()| request(operation, sent, reply))
        }
        None if reply.status == 405 => required(reply, "allow"),
        None if reply.status.is_client_error() || reply.status.is_server_error() => Ok(()),
        None => Err(anyhow::anyhow!("the description has no such call")),
    };
    checked.with_context(|| format!("{} {}, answered with {reply:?}", sent.method, sent.path))
}

/// Finds the described call for a path, with or without a trailing slash.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    let template = match path {
        "/orders" | "/orders/batch" | "/openapi.json" => path,
        _ => match path.strip_prefix("/orders/") {
            Some(id) if !id.is_empty() && !id.contains('/') => "/orders/{id}",
            _ => return None,
        },
    };
    let method = method.as_str().to_ascii_lowercase();
    DOCUMENT["paths"][template].get(method)
}

fn answer(operation: &'static Value, sent: &Sent<'_>, reply: &Reply) -> Result<()> {
    let status = reply.status.as_u16();
    let responses = &operation["responses"];
    let response = responses
        .get(status.to_string())
        .or_else(|| responses.get(format!("{}XX", status / 100)))
        .context("the description has no such status")?;
    let response = resolve(response)?;
    for (name, header) in members(&response["headers"]) {
        let header = resolve(header)?;
        let Some(value) = reply.header(name) else {
            ensure!(header["required"] != true, "no header {name}");
            continue;
        };
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => json!(value.parse::<u64>().with_context(|| name.to_owned())?),
            _ => json!(value),
        };
        valid(&header["schema"], &value).with_context(|| name.to_owned())?;
    }
    if sent.method == Method::HEAD || response["content"].is_null() {
        ensure!(reply.body.is_empty(), "a body");
        return Ok(());
    }
    let content_type = reply.header("content-type").context("no content type")?;
    let content = &response["content"][content_type];
    ensure!(!content.is_null(), "the description has no {content_type}");
    valid(&content["schema"], &reply.json()?)
}

/// Checks that what was accepted is valid. What was refused may be valid too: the description can't express every rule.
fn request(operation: &'static Value, sent: &Sent<'_>, reply: &Reply) -> Result<()> {
    let Some(content) = operation["requestBody"]["content"].get("application/json") else {
        return Ok(());
    };
    if reply.status != 202 {
        return Ok(());
    }
    for key in sent.headers.get_all("idempotency-key") {
        let schema = json!({"$ref": "#/components/schemas/IdempotencyKey"});
        valid(&schema, &json!(key.to_str()?)).context("Idempotency-Key")?;
    }
    let body = sent.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sent.body);
    let body: Value = serde_json::from_slice(body).context("an accepted request isn't JSON")?;
    let results = reply.json()?["results"].take();
    if results.is_null() {
        return valid(&content["schema"], &body).context("an accepted order");
    }
    // Each order of a batch request is judged on its own.
    let results = results.as_array().context("the results aren't a list")?;
    let orders = body["orders"].as_array().context("no orders")?;
    ensure!(orders.len() == results.len(), "{orders:?}");
    let accepted = orders
        .iter()
        .zip(results)
        .filter(|(_, result)| result["status"] == 202);
    let accepted: Vec<_> = accepted.map(|(order, _)| order).collect();
    valid(&content["schema"], &json!({"orders": accepted})).context("accepted orders")
}

fn required(reply: &Reply, name: &str) -> Result<()> {
    ensure!(reply.header(name).is_some(), "no header {name}");
    Ok(())
}

/// Follows a reference; returns any other value as it is.
fn resolve(value: &'static Value) -> Result<&'static Value> {
    let Some(reference) = value["$ref"].as_str() else {
        return Ok(value);
    };
    let pointer = reference.strip_prefix('#').unwrap_or(reference);
    let document: &'static Value = &DOCUMENT;
    document
        .pointer(pointer)
        .context("a reference leads nowhere")
}

fn members(value: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let members = value.as_object().into_iter().flat_map(Map::iter);
    members.map(|(name, value)| (name.as_str(), value))
}

fn valid(schema: &Value, value: &Value) -> Result<()> {
    let validator = validator(schema)?;
    let mut errors = validator.iter_errors(value);
    if let Some(error) = errors.next() {
        bail!("{value} is invalid at {}: {error}", error.instance_path());
    }
    Ok(())
}

fn validator(schema: &Value) -> Result<Arc<Validator>> {
    let mut validators = VALIDATORS.lock().expect("no panic in here");
    let text = schema.to_string();
    if let Some(validator) = validators.get(&text) {
        return Ok(Arc::clone(validator));
    }
    let root =
        json!({"allOf": [schema], "components": {"schemas": DOCUMENT["components"]["schemas"]}});
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    let validator = options.should_validate_formats(true).build(&root);
    let validator = validator.map_err(|error| anyhow::anyhow!("{schema}: {error}"))?;
    let validator = Arc::new(validator);
    validators.insert(text, Arc::clone(&validator));
    Ok(validator)
}
