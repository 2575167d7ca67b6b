//! Reads `Resources`: those whose condition holds, and the values of `!Ref` and `!GetAtt` for them.

use super::{
    globals,
    model::{ACCOUNT, Place, REGION},
    resolve::{API_ID, Reference, Scope},
    yaml::{Node, Value},
};
use crate::sqs;
use anyhow::Result;
use std::collections::BTreeMap;

/// A resource whose condition holds.
pub struct Resource<'t> {
    pub id: String,
    pub kind: Kind,
    pub node: &'t Node,
    /// The properties with the globals, unresolved.
    properties: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Alarm,
    Api,
    CompositeAlarm,
    Dashboard,
    Function,
    LogGroup,
    Queue,
    Role,
    Secret,
    Table,
    /// Kinds without effect on one machine.
    Nothing,
}

const KINDS: [(&str, Kind); 7] = [
    ("AWS::DynamoDB::Table", Kind::Table),
    ("AWS::IAM::Role", Kind::Role),
    ("AWS::Logs::LogGroup", Kind::LogGroup),
    ("AWS::SQS::Queue", Kind::Queue),
    ("AWS::SecretsManager::Secret", Kind::Secret),
    ("AWS::Serverless::Api", Kind::Api),
    ("AWS::Serverless::Function", Kind::Function),
];

/// Resources that `watch` reads, and that have no effect on one machine.
const WATCHED: [(&str, Kind); 3] = [
    ("AWS::CloudWatch::Alarm", Kind::Alarm),
    ("AWS::CloudWatch::CompositeAlarm", Kind::CompositeAlarm),
    ("AWS::CloudWatch::Dashboard", Kind::Dashboard),
];

/// Metering and monitoring resources: accepted without being read. Policies outside a role are refused: otherwise a role would
/// not show all permissions of its function.
const NOTHING: [&str; 10] = [
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::Lambda::Permission",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy",
    "AWS::WAFv2::WebACLAssociation",
];

const ATTRIBUTES: [&str; 7] = [
    "Type",
    "Properties",
    "Metadata",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
];

/// The resources whose condition holds, in the template's sequence.
pub fn read<'t>(template: &'t Node, scope: &Scope) -> Result<Vec<Resource<'t>>> {
    if let Some(globals) = template.get("Globals") {
        globals.only(&["Function", "Api"])?;
    }
    let mut resources = Vec::new();
    for (id, node) in template.require("Resources")?.map()? {
        node.only(&ATTRIBUTES)?;
        let kind = kind(node.require("Type")?)?;
        if !scope.applies(node)? {
            continue;
        }
        let own = node.get("Properties").cloned().unwrap_or_else(|| Node {
            value: Value::Map(Vec::new()),
            ..node.clone()
        });
        let section = match kind {
            Kind::Api => "Api",
            Kind::Function => "Function",
            _ => "",
        };
        let global = template.get("Globals").and_then(|g| g.get(section));
        resources.push(Resource {
            id: id.clone(),
            kind,
            node,
            properties: global.map_or(own.clone(), |global| globals::merge(global, &own)),
        });
    }
    Ok(resources)
}

fn kind(node: &Node) -> Result<Kind> {
    let name = node.text()?;
    if NOTHING.contains(&name) {
        return Ok(Kind::Nothing);
    }
    let mut kinds = KINDS.iter().chain(&WATCHED);
    let known = kinds.find(|(known, _)| *known == name);
    known.map(|(_, kind)| *kind).ok_or_else(|| {
        let names = KINDS.map(|(name, _)| name).join(", ");
        node.fault(format!("{name} isn't supported; supported: {names}"))
    })
}

impl Resource<'_> {
    /// The properties in `read`, resolved. Those in `dropped` have no effect on one machine and aren't even resolved; any
    /// other property is refused.
    pub fn properties(&self, scope: &Scope, read: &[&str], dropped: &[&str]) -> Result<Node> {
        self.properties.only(&[read, dropped].concat())?;
        let mut properties = self.properties.clone();
        if let Value::Map(entries) = &mut properties.value {
            entries.retain(|(key, _)| read.contains(&key.as_str()));
        }
        scope.value(&properties)
    }

    /// The text in `Metadata.Local.{key}`, which only this program reads.
    pub fn local(&self, scope: &Scope, key: &str) -> Result<Option<String>> {
        let Some(local) = self.node.get("Metadata").and_then(|node| node.get("Local")) else {
            return Ok(None);
        };
        local.only(&[key])?;
        Ok(Some(scope.value(local.require(key)?)?.text()?.to_owned()))
    }

    /// The name in `property`, or else the logical id.
    pub fn name(&self, scope: &Scope, property: &str) -> Result<String> {
        match self.properties.get(property) {
            Some(name) => Ok(scope.value(name)?.text()?.to_owned()),
            None => Ok(self.id.clone()),
        }
    }
}

/// The values that each resource returns to others that refer to it.
pub fn references(
    resources: &[Resource],
    scope: &Scope,
    place: &Place,
) -> Result<BTreeMap<String, Reference>> {
    let mut references = BTreeMap::new();
    for resource in resources {
        let (value, attributes) = match resource.kind {
            Kind::Queue => {
                let name = resource.name(scope, "QueueName")?;
                let url = sqs::url(&place.services, &name);
                let attributes = vec![
                    ("Arn", sqs::arn(&name)),
                    ("QueueName", name),
                    ("QueueUrl", url.clone()),
                ];
                (url, attributes)
            }
            Kind::Table => {
                let name = resource.name(scope, "TableName")?;
                let arn = arn("dynamodb", &format!("table/{name}"));
                (name, vec![("Arn", arn)])
            }
            Kind::Function => {
                let name = resource.name(scope, "FunctionName")?;
                let arn = arn("lambda", &format!("function:{name}"));
                (name, vec![("Arn", arn)])
            }
            Kind::LogGroup => {
                let name = resource.name(scope, "LogGroupName")?;
                let arn = arn("logs", &format!("log-group:{name}:*"));
                (name, vec![("Arn", arn)])
            }
            Kind::Role => {
                // An ARN of IAM has no region.
                let arn = format!("arn:aws:iam::{ACCOUNT}:role/{}", resource.id);
                (resource.id.clone(), vec![("Arn", arn)])
            }
            Kind::Secret => {
                let arn = secret_arn(&resource.name(scope, "Name")?);
                (arn.clone(), vec![("Id", arn)])
            }
            Kind::Api => {
                // SAM makes this resource from the usage plan, under this id.
                let key = format!("{}ApiKey", resource.id);
                references.insert(
                    key.clone(),
                    Reference {
                        value: key,
                        attributes: BTreeMap::new(),
                    },
                );
                (API_ID.to_owned(), Vec::new())
            }
            Kind::Alarm | Kind::CompositeAlarm => {
                let arn = arn("cloudwatch", &format!("alarm:{}", resource.id));
                (resource.id.clone(), vec![("Arn", arn)])
            }
            Kind::Dashboard | Kind::Nothing => (resource.id.clone(), Vec::new()),
        };
        let attributes = attributes.into_iter().collect();
        references.insert(resource.id.clone(), Reference { value, attributes });
    }
    Ok(references)
}

/// The ARN of the secret with this name; AWS adds six characters to it.
pub(super) fn secret_arn(name: &str) -> String {
    arn("secretsmanager", &format!("secret:{name}-000000"))
}

pub(super) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}
