//! Violations: what is wrong with a client's document.

use serde::Serialize;

/// Maximum number of violations that are reported for one document: enough for every field of an order of 50 lines, and a bound
/// on the cost of a document of nothing but violations.
pub const MAX_VIOLATIONS: usize = 256;

/// Longest name of an unknown field that is repeated to its sender, in characters.
const LONGEST_NAME: usize = 64;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The place, as an RFC 6901 JSON Pointer: `/lines/0/quantity`.
    pub pointer: String,
    /// The broken rule, for a human reader: `must be from 1 to 1000000`.
    pub detail: String,
}

/// Collects the violations of one document.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Adds a violation, up to [`MAX_VIOLATIONS`].
    pub fn add(&mut self, at: &Pointer<'_>, detail: impl Into<String>) {
        if self.0.len() < MAX_VIOLATIONS {
            let (pointer, detail) = (at.to_string(), detail.into());
            self.0.push(Violation { pointer, detail });
        }
    }

    /// Returns whether there are no violations.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the violations, in the document's sequence.
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}

/// A place in a document, built while walking it: nothing is allocated until a violation is found there.
#[derive(Debug, Clone, Copy)]
pub enum Pointer<'a> {
    /// The whole document.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An element of an array.
    Element(&'a Self, usize),
}

impl std::fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pointer::Root => Ok(()),
            Pointer::Member(parent, name) if !is_repeatable(name) => parent.fmt(f),
            Pointer::Member(parent, name) => {
                write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Pointer::Element(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Returns whether a name is short enough and safe to show: JSON escapes only the first 32 control characters, and a terminal
/// obeys others, too.
fn is_repeatable(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_escaped_and_bounded() {
        let check = |name: &str, expected: &str| {
            let line = Pointer::Element(&Pointer::Member(&Pointer::Root, "lines"), 3);
            assert_eq!(Pointer::Member(&line, name).to_string(), expected);
        };
        check("name", "/lines/3/name");
        check("a/b~c", "/lines/3/a~1b~0c");
        check(&"ä".repeat(64), &format!("/lines/3/{}", "ä".repeat(64)));
        check(&"x".repeat(65), "/lines/3");
        for control in ["a\n", "\u{1b}[31m", "\u{7f}", "\u{9b}2J"] {
            check(control, "/lines/3");
        }
    }
}
