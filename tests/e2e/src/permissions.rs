//! Compares each function's role with the calls that it was seen to make.
//!
//! The scenarios' calls show the actions and their resources. Polling and deleting by the event source mapping, and Lambda's
//! writes to the log, happen in the function's name, so they are added. The template's roles must allow exactly these.

use anyhow::{Context, Result, ensure};
use local::{
    faults::{Call, Faults},
    template::model::{ACCOUNT, REGION, Stack},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// An action on a resource: `sqs:SendMessage`, and an ARN.
type Permission = (String, String);

/// Requests of more bytes are skipped. They are transactions like others, and reading them would delay their answers.
const LARGE: usize = 1 << 16;

/// The calls of the functions, by their logical id.
#[derive(Debug, Clone, Default)]
pub struct Used(Arc<Mutex<BTreeMap<String, BTreeSet<Permission>>>>);

impl Used {
    /// Starts to watch these functions.
    pub fn watch(faults: &Faults, stack: &Stack) -> Self {
        let used = Self::default();
        let (log, functions) = (used.clone(), stack.functions.keys().cloned());
        let functions: BTreeSet<_> = functions.collect();
        let rule = faults.add(move |call| {
            if functions.contains(call.caller) && call.body.len() <= LARGE {
                let mut log = log.0.lock().expect("no panic in here");
                log.entry(call.caller.to_owned())
                    .or_default()
                    .extend(permissions(call));
            }
            None
        });
        rule.for_good();
        used
    }

    /// Checks that each function's role allows what it did, and nothing else.
    pub fn compare(&self, stack: &Stack) -> Result<()> {
        let used = self.0.lock().expect("no panic in here").clone();
        for (id, function) in &stack.functions {
            let mut needed = used.get(id).cloned().unwrap_or_default();
            for source in &function.event_sources {
                let queue = arn("sqs", &stack.queues[&source.queue].name);
                needed.extend(
                    ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"]
                        .map(|action| (format!("sqs:{action}"), queue.clone())),
                );
            }
            let log_group = function.log_group.as_ref();
            let log_group = log_group.with_context(|| format!("{id} has no log group"))?;
            let log_group = arn("logs", &format!("log-group:{log_group}:*"));
            needed.extend(
                ["CreateLogStream", "PutLogEvents"]
                    .map(|action| (format!("logs:{action}"), log_group.clone())),
            );

            let role = function.role.as_ref().and_then(|id| stack.roles.get(id));
            let role = role.with_context(|| format!("{id} has no role"))?;
            let mut allowed = BTreeSet::new();
            for statement in &role.statements {
                let [resource] = &statement.resources[..] else {
                    anyhow::bail!("{id}: {statement:?} names more than one resource");
                };
                let pairs = statement.actions.iter();
                allowed.extend(pairs.map(|action| (action.clone(), resource.clone())));
            }
            let (missing, unused): (Vec<_>, Vec<_>) = (
                needed.difference(&allowed).collect(),
                allowed.difference(&needed).collect(),
            );
            ensure!(
                missing.is_empty() && unused.is_empty(),
                "the role of {id} lacks {missing:?}, and allows {unused:?}, which nothing used"
            );
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    table_name: Option<String>,
    #[serde(default)]
    transact_items: Vec<BTreeMap<String, Target>>,
    /// Events.
    #[serde(default)]
    entries: Vec<Event>,
    /// Keys by table.
    #[serde(default, rename = "RequestItems")]
    keys: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    table_name: String,
}

/// An event, or an entry of another batch, which has no bus.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    event_bus_name: Option<String>,
}

/// Returns the permissions that a call needs. A call that isn't recognised needs its own name, which no role allows.
fn permissions(call: &Call<'_>) -> Vec<Permission> {
    let unknown = || vec![(call.operation.to_owned(), String::new())];
    let Ok(request) = serde_json::from_slice::<Request>(call.body) else {
        return unknown();
    };
    let table = |action: &str, name: &str| {
        let table = arn("dynamodb", &format!("table/{name}"));
        (format!("dynamodb:{action}"), table)
    };
    if let Some(url) = request.queue_url {
        let name = url.rsplit('/').next().unwrap_or_default();
        // A batch call needs the action of the single call.
        let action = call.operation.strip_suffix("Batch");
        let action = action.unwrap_or(call.operation);
        return vec![(format!("sqs:{action}"), arn("sqs", name))];
    }
    if let Some(name) = request.table_name {
        return vec![table(call.operation, &name)];
    }
    if call.operation == "PutEvents" {
        let buses = request.entries.iter();
        let buses = buses.filter_map(|event| event.event_bus_name.as_deref());
        let bus = |name: &str| {
            let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
            let bus = arn("events", &format!("event-bus/{name}"));
            ("events:PutEvents".to_owned(), bus)
        };
        return buses.map(bus).collect();
    }
    let names = request.keys.keys();
    let reads = names.map(|name| table(call.operation, name));
    let actions = request.transact_items.iter().flatten();
    let actions = actions.map(|(kind, target)| {
        let action = match kind.as_str() {
            "Put" => "PutItem",
            "Update" => "UpdateItem",
            "Delete" => "DeleteItem",
            "ConditionCheck" => "ConditionCheckItem",
            other => other,
        };
        table(action, &target.table_name)
    });
    let actions: Vec<_> = reads.chain(actions).collect();
    if actions.is_empty() {
        unknown()
    } else {
        actions
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}
