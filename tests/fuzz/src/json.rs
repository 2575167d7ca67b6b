//! JSON that may be wrong in every way that JSON can be: with repeated names, numbers out of all bounds, half surrogate pairs,
//! endless nesting.

use crate::program::Program;
use events::order::kit;
use serde_json::Value;
use std::fmt;

/// Text in the place of a value; some of it isn't one.
const LITERALS: [&str; 29] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-0",
    "-1",
    "1.5",
    "1e2",
    "1e999",
    "-1E-999",
    "01",
    "1.",
    "1000000",
    "1000001",
    "1000000000000",
    "1000000000001",
    "9007199254740991",
    "9007199254740992",
    "18446744073709551615",
    "18446744073709551616",
    "{}",
    "[]",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "",
    "{\"\\udfff\":0}",
    "NaN",
];
/// Names that have a meaning to some reader, beside those of the document.
const NAMES: [&str; 10] = [
    "type",
    "version",
    "id",
    "client",
    "placed_at",
    "fingerprint",
    "order",
    "body",
    "headers",
    "Content-Type",
];
/// The depths to which a value is wrapped: around serde_json's limit, and beyond what a stack would survive.
const DEPTHS: [usize; 5] = [1, 126, 127, 128, 30_000];
/// How many times an element is repeated: around the limits of an order's lines and of the violations that are listed.
const COPIES: [usize; 6] = [1, 2, 48, 49, 50, 300];
/// The number of nodes beyond which a document is not mutated further.
const LARGE: usize = 4000;

/// A document.
#[derive(Debug, Clone)]
pub enum Json {
    /// Written verbatim.
    Raw(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, whose names may repeat.
    Map(Vec<(String, Self)>),
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.into()))
                    .collect(),
            ),
            other => Self::Raw(other.to_string()),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &str| Value::from(text).to_string();
        match self {
            Self::Raw(raw) => f.write_str(raw),
            Self::Text(value) => f.write_str(&text(value)),
            Self::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n == 0 { "[" } else { "," })?;
                }
                f.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Map(members) => {
                for (n, (name, value)) in members.iter().enumerate() {
                    write!(
                        f,
                        "{}{}:{value}",
                        if n == 0 { "{" } else { "," },
                        text(name)
                    )?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

impl Json {
    /// The member with this name, if this is an object that has it.
    pub fn member(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Map(members) = self else {
            return None;
        };
        members
            .iter_mut()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Adds a member to an object.
    pub fn give(&mut self, name: String, value: Self) {
        if let Self::Map(members) = self {
            members.push((name, value));
        }
    }

    /// Makes up to six changes, most often one or two, as the program decides.
    pub fn mutate(&mut self, program: &mut Program<'_>) {
        for _ in 0..*program.pick(&[0, 1, 1, 1, 2, 2, 3, 6]) {
            let nodes = self.nodes();
            if nodes > LARGE {
                return;
            }
            let other = self.nth(&mut program.below(nodes)).cloned();
            if let Some(node) = self.nth(&mut program.below(nodes)) {
                node.change(program, other);
            }
        }
    }

    /// Changes one of the texts inside, or adds a copy under another name: what a client can do to its part of an event.
    pub fn rewrite(&mut self, program: &mut Program<'_>) {
        match self {
            Self::Raw(_) => {}
            Self::Text(text) if program.once_in(2) => *text += &program.text(),
            Self::Text(text) => *text = program.text(),
            Self::List(items) => {
                let place = program.below(items.len());
                items
                    .iter_mut()
                    .skip(place)
                    .take(1)
                    .for_each(|item| item.rewrite(program));
            }
            Self::Map(members) => {
                let place = program.below(members.len());
                if let Some((name, value)) = members.get_mut(place) {
                    value.rewrite(program);
                    if program.once_in(4) {
                        let more = (name.to_uppercase() + &program.text(), value.clone());
                        members.push(more);
                    }
                }
            }
        }
    }

    /// The number of values, including all nested ones.
    fn nodes(&self) -> usize {
        1 + match self {
            Self::Raw(_) | Self::Text(_) => 0,
            Self::List(items) => items.iter().map(Self::nodes).sum(),
            Self::Map(members) => members
                .iter()
                .map(|(_, value)| value.nodes())
                .sum::<usize>(),
        }
    }

    /// The value at this place, depth first.
    fn nth(&mut self, place: &mut usize) -> Option<&mut Self> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match self {
            Self::Raw(_) | Self::Text(_) => None,
            Self::List(items) => items.iter_mut().find_map(|item| item.nth(place)),
            Self::Map(members) => members.iter_mut().find_map(|(_, value)| value.nth(place)),
        }
    }

    fn change(&mut self, program: &mut Program<'_>, other: Option<Self>) {
        let choice = program.below(8);
        match (choice, &mut *self) {
            (0, _) => *self = Self::Raw((*program.pick(&LITERALS)).to_owned()),
            (1, _) => *self = Self::Text(program.text()),
            (2, _) => *self = Self::Text((*program.pick(&kit::TEXTS)).to_owned()),
            (3, _) => *self = self.wrapped(*program.pick(&DEPTHS)),
            (_, Self::Raw(raw)) => (*program.pick(&LITERALS)).clone_into(raw),
            (_, Self::Text(text)) => *text += &program.text(),
            (4, Self::List(items)) => {
                drop((!items.is_empty()).then(|| items.remove(program.below(items.len()))));
            }
            (5, Self::List(items)) => items.extend(other),
            (_, Self::List(items)) => {
                if let Some(item) = items.get(program.below(items.len())).cloned() {
                    items.extend(vec![item; *program.pick(&COPIES)]);
                }
            }
            (4, Self::Map(members)) => {
                drop((!members.is_empty()).then(|| members.remove(program.below(members.len()))));
            }
            (5, Self::Map(members)) => {
                let value = other.unwrap_or(Self::List(vec![]));
                members.insert(program.below(members.len()), (name(program), value));
            }
            (6, Self::Map(members)) => {
                let place = program.below(members.len());
                if let Some((known, _)) = members.get_mut(place) {
                    *known = name(program);
                }
            }
            (_, Self::Map(members)) => {
                if let Some(member) = members.get(program.below(members.len())).cloned() {
                    members.push(member);
                }
            }
        }
    }

    /// Wraps the value in this many arrays or objects. Returns text, because dropping a tree of that depth would need as much
    /// stack.
    fn wrapped(&self, depth: usize) -> Self {
        let (open, close) = if depth.is_multiple_of(2) {
            ("[", "]")
        } else {
            ("{\"\":", "}")
        };
        Self::Raw(open.repeat(depth) + &self.to_string() + &close.repeat(depth))
    }
}

fn name(program: &mut Program<'_>) -> String {
    if program.once_in(2) {
        program.text()
    } else {
        let names: Vec<_> = NAMES.iter().chain(&kit::NAMES).copied().collect();
        (*program.pick(&names)).to_owned()
    }
}

/// Makes a document like one of these, as a client might send it: mutated, and sometimes broken as text.
pub fn document(samples: &[Value], program: &mut Program<'_>) -> Vec<u8> {
    if program.once_in(32) {
        return program.rest().to_vec();
    }
    let mut json = Json::from(program.pick(samples));
    json.mutate(program);
    let mut text = json.to_string().into_bytes();
    if program.once_in(8) {
        let (from, to) = (program.below(text.len()), program.below(text.len()));
        match program.below(4) {
            0 => text.truncate(from),
            1 => text.insert(from, program.byte()),
            2 => drop(text.drain(from.min(to)..from.max(to))),
            _ => text.resize(text.len() + 140_000, b' '),
        }
    }
    text
}
