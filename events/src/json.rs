//! Reads JSON that a client sent, field by field, so that all violations are found and not only the first.
//!
//! A value is kept as its text (`RawValue`) until its field is read. Nothing recurses into values that aren't read, so even
//! the deepest nesting costs no stack.

use crate::violation::{Pointer, Violations};
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, str::Utf8Error};

/// The error for a body that isn't one JSON value. The text says why and where, for a human reader.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// The body isn't text.
    #[error("not UTF-8: {0}")]
    Utf8(#[from] Utf8Error),
    /// The body is text, but not JSON.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
}

/// Checks that `body` is one JSON value. Skips a byte order mark before it.
pub fn parse(body: &[u8]) -> Result<&RawValue, NotJson> {
    let text = std::str::from_utf8(body)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(serde_json::from_str(text)?)
}

/// Returns the members `names` of the object `value`. Unknown and repeated members are violations. If `value` is not an
/// object, adds a violation and returns None.
pub fn object<'a, const N: usize>(
    value: &'a RawValue,
    at: &Pointer<'_>,
    names: [&str; N],
    violations: &mut Violations,
) -> Option<[Option<&'a RawValue>; N]> {
    if kind(value) != "an object" {
        violations.add(at, format!("must be an object, is {}", kind(value)));
        return None;
    }
    let members: Members = match serde_json::from_str(value.get()) {
        Ok(members) => members,
        // Valid JSON may still have no value: a name with half a surrogate pair.
        Err(error) => {
            violations.add(at, format!("has a name that is not Unicode: {error}"));
            return None;
        }
    };
    let mut found = [None; N];
    for (Name(name), value) in members.0 {
        let place = Pointer::Member(at, &name);
        match names.iter().position(|known| *known == name) {
            None => violations.add(&place, "is not a field that is known here"),
            Some(index) if found[index].is_some() => violations.add(&place, "is given twice"),
            Some(index) => found[index] = Some(value),
        }
    }
    Some(found)
}

/// Returns a mandatory member. If it is missing, adds a violation and returns None.
pub fn required<'a>(
    value: Option<&'a RawValue>,
    at: &Pointer<'_>,
    violations: &mut Violations,
) -> Option<&'a RawValue> {
    if value.is_none() {
        violations.add(at, "is missing");
    }
    value
}

/// Returns a member that may be left out. Most serialisers write `null` for that.
pub fn optional(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| kind(value) != "null")
}

/// Returns the elements of the array `value`. If it isn't an array of `least` to `most` elements, adds a violation and returns
/// None.
pub fn array<'a>(
    value: &'a RawValue,
    at: &Pointer<'_>,
    (least, most): (usize, usize),
    violations: &mut Violations,
) -> Option<Vec<&'a RawValue>> {
    let Some(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()).ok() else {
        violations.add(at, format!("must be an array, is {}", kind(value)));
        return None;
    };
    if elements.len() < least || elements.len() > most {
        let count = elements.len();
        violations.add(
            at,
            format!("must have {least} to {most} elements, has {count}"),
        );
        return None;
    }
    Some(elements)
}

/// Returns the text of the string `value`. If it isn't a string, or a gateway has damaged it, adds a violation and returns
/// None.
pub fn string<'a>(
    value: &'a RawValue,
    at: &Pointer<'_>,
    violations: &mut Violations,
) -> Option<Cow<'a, str>> {
    if kind(value) != "a string" {
        violations.add(at, format!("must be a string, is {}", kind(value)));
        return None;
    }
    let Ok(Name(text)) = serde_json::from_str(value.get()) else {
        violations.add(at, "must be Unicode: it has half a surrogate pair");
        return None;
    };
    if text.contains('\u{fffd}') {
        // A gateway has replaced bytes that weren't UTF-8: the text is lost.
        let rule = "must not have U+FFFD, which stands for bytes that aren't UTF-8: send UTF-8";
        violations.add(at, rule);
        return None;
    }
    Some(text)
}

/// Returns the integer `value`, from `least` to `most`. If it is anything else, adds a violation and returns None.
pub fn integer(
    value: &RawValue,
    at: &Pointer<'_>,
    (least, most): (u64, u64),
    violations: &mut Violations,
) -> Option<u64> {
    let text = value.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if kind(value) != "a number" {
        violations.add(at, format!("must be an integer, is {}", kind(value)));
        return None;
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        violations.add(at, "must be an integer, without fraction or exponent");
        return None;
    }
    let number = if text == "-0" { "0" } else { text };
    let number = number
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    if number.is_none() {
        violations.add(at, format!("must be from {least} to {most}"));
    }
    number
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes()[0] {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

/// An object's members in the sequence sent, repeated ones included.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_costs_no_stack() {
        let deep = "[".repeat(5_000_000) + &"]".repeat(5_000_000);
        let value = parse(deep.as_bytes()).expect("brackets match");
        let mut violations = Violations::default();
        assert_eq!(
            integer(value, &Pointer::Root, (0, 1), &mut violations),
            None
        );
        assert_eq!(
            violations.into_vec()[0].detail,
            "must be an integer, is an array"
        );
    }

    #[test]
    fn only_an_integer_in_range_is_read() {
        let check = |text: &str, expected: Result<u64, &str>| {
            let mut violations = Violations::default();
            let value = parse(text.as_bytes()).expect("the case is JSON");
            let read = integer(value, &Pointer::Root, (1, 1000), &mut violations);
            match expected {
                Ok(number) => assert_eq!(read, Some(number), "{text}"),
                Err(part) => assert!(violations.into_vec()[0].detail.contains(part), "{text}"),
            }
        };
        check("1", Ok(1));
        check(" 1000 ", Ok(1000));
        check("0", Err("from 1 to 1000"));
        check("-1", Err("from 1 to 1000"));
        check("1001", Err("from 1 to 1000"));
        check("-0", Err("from 1 to 1000"));
        check("99999999999999999999999", Err("from 1 to 1000"));
        check("1.0", Err("without fraction"));
        check("1e2", Err("without fraction"));
        check("1e999", Err("without fraction"));
        check("\"1\"", Err("is a string"));
        check("null", Err("is null"));
        check("true", Err("is a boolean"));
    }
}
