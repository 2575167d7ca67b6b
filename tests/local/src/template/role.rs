//! Parses `AWS::IAM::Role`. It is not enforced on one machine; a test compares the permissions with the calls.

use super::{
    model::{Role, Statement},
    resolve::Scope,
    resource::Resource,
    yaml::{Node, Value},
};
use anyhow::Result;

/// Managed policies aren't read: their permissions aren't in the template.
const READ: [&str; 1] = ["Policies"];
const DROPPED: [&str; 7] = [
    "AssumeRolePolicyDocument",
    "Description",
    "MaxSessionDuration",
    "Path",
    "PermissionsBoundary",
    "RoleName",
    "Tags",
];

/// Reads one role.
pub fn read(resource: &Resource, scope: &Scope) -> Result<Role> {
    let properties = resource.properties(scope, &READ, &DROPPED)?;
    let mut statements = Vec::new();
    let policies = properties.get("Policies").map(Node::list).transpose()?;
    for policy in policies.unwrap_or_default() {
        policy.only(&["PolicyName", "PolicyDocument"])?;
        let document = policy.require("PolicyDocument")?;
        document.only(&["Version", "Statement"])?;
        for statement in document.require("Statement")?.list()? {
            statements.push(self::statement(statement)?);
        }
    }
    Ok(Role { statements })
}

fn statement(node: &Node) -> Result<Statement> {
    node.only(&["Sid", "Effect", "Action", "Resource", "Condition"])?;
    let effect = node.require("Effect")?;
    if effect.text()? != "Allow" {
        return Err(effect.fault("isn't supported; supported: Allow"));
    }
    Ok(Statement {
        actions: texts(node.require("Action")?)?,
        resources: texts(node.require("Resource")?)?,
    })
}

/// One text, or a list of them.
fn texts(node: &Node) -> Result<Vec<String>> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .map(|item| Ok(item.text()?.to_owned()))
            .collect(),
        _ => Ok(vec![node.text()?.to_owned()]),
    }
}
