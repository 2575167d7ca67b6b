//! Parses `AWS::DynamoDB::Table` into its `CreateTable` request.

use super::{
    model::Table,
    resolve::Scope,
    resource::Resource,
    yaml::{Node, Value},
};
use anyhow::Result;
use serde_json::{Map, Value as Json};
use std::path::PathBuf;

const READ: [&str; 7] = [
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
];
/// Properties for protection, capacity and billing. No row expires here.
const DROPPED: [&str; 10] = [
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "Tags",
    "TimeToLiveSpecification",
    "WarmThroughput",
];

/// Reads one table. `CreateTable` checks the details of the definition.
pub fn read(resource: &Resource, scope: &Scope) -> Result<Table> {
    let properties = resource.properties(scope, &READ, &DROPPED)?;
    properties.require("KeySchema")?;
    properties.require("AttributeDefinitions")?;
    let name = resource.name(scope, "TableName")?;
    let mut definition = json(&properties)?;
    definition["TableName"] = Json::from(name.as_str());
    Ok(Table {
        name,
        definition,
        items: resource.local(scope, "Items")?.map(PathBuf::from),
    })
}

fn json(node: &Node) -> Result<Json> {
    Ok(match &node.value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(json).collect::<Result<_>>()?,
        Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let value = match key.as_str() {
                    "ReadCapacityUnits" | "WriteCapacityUnits" => {
                        Json::from(value.number::<u64>(1..=u64::MAX)?)
                    }
                    _ => json(value)?,
                };
                map.insert(key.clone(), value);
            }
            Json::Object(map)
        }
        Value::Call(..) => return Err(node.fault("isn't resolved")),
    })
}
