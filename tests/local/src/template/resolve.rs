//! Removes the intrinsic functions from a tree.

use super::{
    model::{ACCOUNT, Place, REGION},
    yaml::{Node, Value},
};
use anyhow::Result;
use std::collections::BTreeMap;

/// The values of names.
pub struct Scope {
    /// The parameters, and the pseudo parameters (`AWS::Region`).
    parameters: BTreeMap<String, String>,
    pub conditions: BTreeMap<String, bool>,
    /// Resources by logical id. Their names are resolved before there are any, so no name can refer to a resource, and there
    /// are no circles.
    pub references: BTreeMap<String, Reference>,
    api: String,
}

/// The values of `!Ref` and `!GetAtt` for a resource.
pub struct Reference {
    pub value: String,
    pub attributes: BTreeMap<&'static str, String>,
}

/// The value of `!Ref` for the API.
pub const API_ID: &str = "local";
const URL_SUFFIX: &str = "amazonaws.com";

impl Scope {
    pub fn new(mut parameters: BTreeMap<String, String>, place: &Place) -> Self {
        for (name, value) in [
            ("AWS::AccountId", ACCOUNT),
            ("AWS::Partition", "aws"),
            ("AWS::Region", REGION),
            ("AWS::StackName", "local"),
            ("AWS::URLSuffix", URL_SUFFIX),
        ] {
            parameters.insert(name.to_owned(), value.to_owned());
        }
        Self {
            parameters,
            conditions: BTreeMap::new(),
            references: BTreeMap::new(),
            api: place.api.clone(),
        }
    }

    /// The value without intrinsic functions; it must not be `AWS::NoValue`.
    pub fn value(&self, node: &Node) -> Result<Node> {
        self.resolve(node)?
            .ok_or_else(|| node.fault("may not be AWS::NoValue"))
    }

    /// Whether a resource's or output's `Condition` holds.
    pub fn applies(&self, node: &Node) -> Result<bool> {
        match node.get("Condition") {
            Some(condition) => self.condition(condition),
            None => Ok(true),
        }
    }

    /// Resolves a value. `None` for `AWS::NoValue`, which removes an entry from its list or mapping.
    pub fn resolve(&self, node: &Node) -> Result<Option<Node>> {
        let value = match &node.value {
            Value::Text(text) => Value::Text(text.clone()),
            Value::List(items) => Value::List(
                items
                    .iter()
                    .filter_map(|item| self.resolve(item).transpose())
                    .collect::<Result<_>>()?,
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .filter_map(|(key, value)| {
                        let value = self.resolve(value).transpose()?;
                        Some(value.map(|value| (key.clone(), value)))
                    })
                    .collect::<Result<_>>()?,
            ),
            Value::Call(function, argument) => match self.call(function, argument)? {
                Some(value) => value,
                None => return Ok(None),
            },
        };
        Ok(Some(Node {
            value,
            ..Node::clone(node)
        }))
    }

    fn call(&self, function: &str, argument: &Node) -> Result<Option<Value>> {
        let text = match function {
            "Ref" if argument.text()? == "AWS::NoValue" => return Ok(None),
            "Ref" => self.reference(argument, argument.text()?)?.to_owned(),
            "GetAtt" => match &argument.value {
                Value::List(_) => {
                    let parts = self.texts(argument)?;
                    self.attribute(argument, &parts.join("."))?.to_owned()
                }
                _ => self.attribute(argument, argument.text()?)?.to_owned(),
            },
            "Sub" => self.sub(argument)?,
            "Join" => match argument.list()? {
                [separator, items] => {
                    self.local(&self.texts(&self.value(items)?)?.join(separator.text()?))
                }
                _ => return Err(argument.fault("Join takes a separator and a list")),
            },
            "Select" => match argument.list()? {
                [index, items] => {
                    let items = self.value(items)?;
                    let index: usize = self.value(index)?.number(0..=u64::from(u32::MAX))?;
                    let item = items.list()?.get(index);
                    let item = item.ok_or_else(|| items.fault(format!("has no item {index}")))?;
                    return Ok(Some(item.value.clone()));
                }
                _ => return Err(argument.fault("Select takes an index and a list")),
            },
            "Split" => match argument.list()? {
                [separator, text] => {
                    let (separator, text) = (separator.text()?, self.value(text)?);
                    let part = |part: &str| Node {
                        value: Value::Text(part.to_owned()),
                        ..text.clone()
                    };
                    return Ok(Some(Value::List(
                        text.text()?.split(separator).map(part).collect(),
                    )));
                }
                _ => return Err(argument.fault("Split takes a separator and a text")),
            },
            "If" => match argument.list()? {
                [condition, yes, no] => {
                    let chosen = if self.condition(condition)? { yes } else { no };
                    return Ok(self.resolve(chosen)?.map(|node| node.value));
                }
                _ => return Err(argument.fault("If takes a condition and two values")),
            },
            _ => {
                return Err(argument.fault(format!(
                    "the function {function} isn't supported here; \
                     supported: Ref, GetAtt, Sub, Join, Select, Split, If"
                )));
            }
        };
        Ok(Some(Value::Text(text)))
    }

    fn condition(&self, node: &Node) -> Result<bool> {
        let name = node.text()?;
        let known = self.conditions.get(name).copied();
        known.ok_or_else(|| node.fault(format!("there is no condition {name}")))
    }

    fn reference(&self, node: &Node, name: &str) -> Result<&str> {
        let resource = self.references.get(name).map(|r| &r.value);
        let value = self.parameters.get(name).or(resource);
        value.map(String::as_str).ok_or_else(|| {
            node.fault(format!(
                "{name} is no parameter, and no resource that can be referred to here"
            ))
        })
    }

    fn attribute(&self, node: &Node, path: &str) -> Result<&str> {
        let Some((name, attribute)) = path.split_once('.') else {
            return Err(node.fault("a resource and its attribute are expected"));
        };
        let Some(resource) = self.references.get(name) else {
            return Err(node.fault(format!(
                "{name} is no resource that can be referred to here"
            )));
        };
        let value = resource.attributes.get(attribute).map(String::as_str);
        value.ok_or_else(|| {
            let known: Vec<_> = resource.attributes.keys().copied().collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            node.fault(format!(
                "{name} has no {attribute} here; supported: {known}"
            ))
        })
    }

    fn texts(&self, list: &Node) -> Result<Vec<String>> {
        let items = list.list()?.iter();
        items
            .filter_map(|item| self.resolve(item).transpose())
            .map(|item| Ok(item?.text()?.to_owned()))
            .collect()
    }

    fn sub(&self, argument: &Node) -> Result<String> {
        let (template, variables) = match &argument.value {
            Value::List(items) => match items.as_slice() {
                [template, variables] => (template.text()?, self.value(variables)?),
                _ => return Err(argument.fault("Sub takes a text, or a text and a mapping")),
            },
            _ => (
                argument.text()?,
                Node {
                    value: Value::Map(Vec::new()),
                    ..argument.clone()
                },
            ),
        };
        let mut result = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(argument.fault("a ${ isn't closed"));
            };
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str("${");
                result.push_str(literal);
                result.push('}');
            } else if let Some(variable) = variables.get(name) {
                result.push_str(variable.text()?);
            } else if name.contains('.') {
                result.push_str(self.attribute(argument, name)?);
            } else {
                result.push_str(self.reference(argument, name)?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(self.local(&result))
    }

    /// Replaces the API's public address by the local one.
    fn local(&self, text: &str) -> String {
        text.replace(
            &format!("https://{API_ID}.execute-api.{REGION}.{URL_SUFFIX}"),
            &self.api,
        )
    }
}
