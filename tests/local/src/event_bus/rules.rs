//! Buses, their rules, and the rules' targets.

use super::{DEFAULT, EventBuses, arn, bus_name, error::BusError, pattern};
use crate::sqs;
use quamina::Quamina;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, btree_map::Entry};

/// The rules of a bus by name.
#[derive(Default)]
pub struct Bus(BTreeMap<String, Rule>);

#[derive(Default)]
struct Rule {
    is_enabled: bool,
    pattern: Quamina<()>,
    /// Queue names, by the ids of the targets.
    targets: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfBus {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutRule {
    name: String,
    event_bus_name: Option<String>,
    event_pattern: String,
    state: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfRule {
    name: String,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutTargets {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<Target>,
}

/// Fields that aren't here would change what is sent, so they are refused.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Target {
    id: String,
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemoveTargets {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
}

impl Bus {
    /// The queues to which the rules send this event, one for each target.
    pub fn queues(&self, event: &[u8]) -> Vec<String> {
        let matching = self
            .0
            .values()
            .filter(|rule| rule.is_enabled && rule.pattern.has_matches(event).unwrap_or_default());
        matching
            .flat_map(|rule| rule.targets.values().cloned())
            .collect()
    }

    fn rule(&mut self, name: &str) -> Result<&mut Rule, BusError> {
        let rule = self.0.get_mut(name);
        rule.ok_or_else(|| BusError::ResourceNotFound(format!("Rule {name}")))
    }
}

impl EventBuses {
    pub(super) fn create_event_bus(&self, request: OfBus) -> Result<Value, BusError> {
        let name = request.name;
        let named = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if !(1..=256).contains(&name.len()) || !name.chars().all(named) {
            return Err(BusError::invalid(format!("{name:?} is no name of a bus")));
        }
        let arn = arn(&format!("event-bus/{name}"));
        match self.buses().entry(name) {
            Entry::Vacant(entry) => entry.insert(Bus::default()),
            Entry::Occupied(entry) => {
                let bus = format!("Event bus {}", entry.key());
                return Err(BusError::ResourceAlreadyExists(bus));
            }
        };
        Ok(json!({ "EventBusArn": arn }))
    }

    pub(super) fn describe_event_bus(&self, request: &OfBus) -> Result<Value, BusError> {
        let name = bus_name(Some(&request.name));
        self.on_bus(Some(name), |_| Ok(()))?;
        Ok(json!({"Name": name, "Arn": arn(&format!("event-bus/{name}"))}))
    }

    pub(super) fn delete_event_bus(&self, request: &OfBus) -> Result<Value, BusError> {
        let name = bus_name(Some(&request.name));
        if name == DEFAULT {
            return Err(BusError::invalid("Cannot delete event bus default."));
        }
        let mut buses = self.buses();
        if buses.get(name).is_some_and(|bus| !bus.0.is_empty()) {
            let why = format!("Event bus {name} can't be deleted since it has rules.");
            return Err(BusError::invalid(why));
        }
        buses.remove(name);
        Ok(json!({}))
    }

    pub(super) fn put_rule(&self, request: PutRule) -> Result<Value, BusError> {
        let is_enabled = match request.state.as_deref() {
            None | Some("ENABLED") => true,
            Some("DISABLED") => false,
            Some(other) => return Err(BusError::invalid(format!("{other} is no state here"))),
        };
        let pattern = pattern::read(&request.event_pattern)?;
        let name = request.name;
        let bus = request.event_bus_name.as_deref();
        let arn = match bus_name(bus) {
            DEFAULT => arn(&format!("rule/{name}")),
            bus => arn(&format!("rule/{bus}/{name}")),
        };
        self.on_bus(bus, |bus| {
            let rule = bus.0.entry(name).or_default();
            (rule.is_enabled, rule.pattern) = (is_enabled, pattern);
            Ok(())
        })?;
        Ok(json!({ "RuleArn": arn }))
    }

    pub(super) fn delete_rule(&self, request: &OfRule) -> Result<Value, BusError> {
        let name = &request.name;
        self.on_bus(request.event_bus_name.as_deref(), |bus| {
            if bus.0.get(name).is_some_and(|rule| !rule.targets.is_empty()) {
                let why = "Rule can't be deleted since it has targets.";
                return Err(BusError::invalid(why));
            }
            bus.0.remove(name);
            Ok(())
        })?;
        Ok(json!({}))
    }

    pub(super) fn put_targets(&self, request: PutTargets) -> Result<Value, BusError> {
        let mut targets = BTreeMap::new();
        for Target { id, arn } in request.targets {
            let Some(queue) = sqs::queue_name(&arn) else {
                let why =
                    format!("{arn} is no queue of this account; `local` has no other targets");
                return Err(BusError::invalid(why));
            };
            targets.insert(id, queue.to_owned());
        }
        self.on_bus(request.event_bus_name.as_deref(), |bus| {
            bus.rule(&request.rule)?.targets.append(&mut targets);
            Ok(())
        })?;
        Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
    }

    pub(super) fn remove_targets(&self, request: &RemoveTargets) -> Result<Value, BusError> {
        self.on_bus(request.event_bus_name.as_deref(), |bus| {
            let targets = &mut bus.rule(&request.rule)?.targets;
            targets.retain(|id, _| !request.ids.contains(id));
            Ok(())
        })?;
        Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
    }

    fn on_bus<T>(
        &self,
        name: Option<&str>,
        work: impl FnOnce(&mut Bus) -> Result<T, BusError>,
    ) -> Result<T, BusError> {
        let name = bus_name(name);
        let mut buses = self.buses();
        let bus = buses.get_mut(name);
        let missing = || BusError::ResourceNotFound(format!("Event bus {name}"));
        work(bus.ok_or_else(missing)?)
    }
}
