//! Parses a template into a tree of values. Each value knows its line and its path, so that errors can name them.

use anyhow::{Result, anyhow};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser, ScanError};
use std::{fmt::Display, ops::RangeInclusive};

/// The maximum depth of a document. Everything that reads or drops a tree recurses as deep as the tree.
const DEEPEST: usize = 100;

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub struct Node {
    /// The line of the key, or of the value itself in a list.
    pub line: usize,
    /// `Resources.OrdersQueue.Properties.FifoQueue`
    pub path: String,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub enum Value {
    /// A string. Numbers and booleans are strings, too: `CloudFormation` passes them on as such.
    Text(String),
    List(Vec<Node>),
    /// In the template's sequence.
    Map(Vec<(String, Node)>),
    /// An intrinsic function in short or long form, by its name without `Fn::`. A resolved tree has none.
    Call(String, Box<Node>),
}

/// Parses one document.
pub fn load(source: &str) -> Result<Node> {
    let malformed = |e: ScanError| anyhow!("line {}: {}", e.marker().line(), e.info());
    let mut depth = 0_usize;
    for event in Parser::new_from_str(source) {
        let (event, place) = event.map_err(malformed)?;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
        if depth > DEEPEST {
            let line = place.start.line();
            return Err(anyhow!("line {line}: has more than {DEEPEST} levels"));
        }
    }
    let documents = MarkedYaml::load_from_str(source).map_err(malformed)?;
    match documents.as_slice() {
        [document] => convert(document, 1, String::new()),
        _ => Err(anyhow!("one YAML document is expected")),
    }
}

fn convert(yaml: &MarkedYaml, line: usize, path: String) -> Result<Node> {
    let mut node = Node {
        line,
        path,
        value: Value::List(Vec::new()),
    };
    node.value = match &yaml.data {
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Value::Text(number.to_string()),
        YamlData::Value(Scalar::FloatingPoint(number)) => Value::Text(number.to_string()),
        YamlData::Value(Scalar::Boolean(boolean)) => Value::Text(boolean.to_string()),
        YamlData::Value(Scalar::Null) => return Err(node.fault("has no value")),
        YamlData::Sequence(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    convert(item, item.span.start.line(), format!("{}[{i}]", node.path))
                })
                .collect::<Result<_>>()?,
        ),
        YamlData::Mapping(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let line = key.span.start.line();
                let name = convert(key, line, node.path.clone())?.text()?.to_owned();
                let value = convert(value, line, node.path_of(&name))?;
                map.push((name, value));
            }
            long_form(map)
        }
        YamlData::Tagged(tag, value) if tag.handle == "!" => {
            let argument = convert(value, line, node.path.clone())?;
            Value::Call(tag.suffix.clone(), Box::new(argument))
        }
        _ => return Err(node.fault("isn't YAML that a template may have")),
    };
    Ok(node)
}

/// Parses the long form: `{"Fn::Sub": …}` and `{"Ref": …}` mean the same as `!Sub …` and `!Ref …`.
fn long_form(mut map: Vec<(String, Node)>) -> Value {
    let name = match map.as_slice() {
        [(key, _)] if key == "Ref" => Some(key.clone()),
        [(key, _)] => key.strip_prefix("Fn::").map(str::to_owned),
        _ => None,
    };
    match (name, map.pop()) {
        (Some(name), Some((_, mut argument))) => {
            // The path leads to the value, in either form of the function.
            let path = argument.path.strip_suffix(&name).unwrap_or_default();
            let path = path.strip_suffix("Fn::").unwrap_or(path);
            argument.path.truncate(path.trim_end_matches('.').len());
            Value::Call(name, Box::new(argument))
        }
        (_, last) => {
            map.extend(last);
            Value::Map(map)
        }
    }
}

impl Node {
    /// Makes an error that names its place.
    pub fn fault(&self, message: impl Display) -> anyhow::Error {
        match self.path.as_str() {
            "" => anyhow!("line {}: {message}", self.line),
            path => anyhow!("line {}: {path}: {message}", self.line),
        }
    }

    pub fn text(&self) -> Result<&str> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.fault("a text or a number is expected")),
        }
    }

    pub fn number<T: TryFrom<u64>>(&self, range: RangeInclusive<u64>) -> Result<T> {
        let number = self.text()?.parse().ok();
        number
            .filter(|n| range.contains(n))
            .and_then(|n| T::try_from(n).ok())
            .ok_or_else(|| {
                let (least, most) = range.into_inner();
                self.fault(format!("a number from {least} to {most} is expected"))
            })
    }

    pub fn boolean(&self) -> Result<bool> {
        match self.text()? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.fault("true or false is expected")),
        }
    }

    pub fn list(&self) -> Result<&[Self]> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.fault("a list is expected")),
        }
    }

    pub fn map(&self) -> Result<&[(String, Self)]> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.fault("a mapping is expected")),
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    pub fn require(&self, key: &str) -> Result<&Self> {
        self.map()?;
        self.get(key)
            .ok_or_else(|| self.fault(format!("{key} is missing")))
    }

    /// Refuses keys other than these.
    pub fn only(&self, keys: &[&str]) -> Result<()> {
        match self
            .map()?
            .iter()
            .find(|(key, _)| !keys.contains(&key.as_str()))
        {
            Some((_, value)) => {
                Err(value.fault(format!("isn't supported; supported: {}", keys.join(", "))))
            }
            None => Ok(()),
        }
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}
