//! Carries numbers through `serde_json::Value`, which rounds integers beyond 64 bits and decimals beyond 17 digits.
//!
//! A field of a later version may contain such a number, and the row is its only copy. In memory, an object with one member,
//! [`NUMBER`], represents the number; the member contains its digits as text.

use serde_json::{Value, value::RawValue};
use std::borrow::Cow;

/// Name of the one member of an object that represents a number.
pub const NUMBER: &str = "$events::Number";

/// Start of such an object. No JSON text contains it, since quotes inside strings are escaped.
const START: &str = r#"{"$events::Number":""#;
const END: &str = r#""}"#;

/// Replaces the numbers that a `Value` would round by objects. Invalid JSON stays invalid.
pub(crate) fn mark(json: &str) -> Cow<'_, str> {
    let (mut marked, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(byte) = json.as_bytes().get(at) {
        at += match byte {
            b'"' => string(&json[at..]),
            b'-' | b'0'..=b'9' => {
                let end = |c: char| !(c.is_ascii_digit() || "+-.eE".contains(c));
                let number = json[at..].split(end).next().unwrap_or_default();
                if is_rounded(number) {
                    marked.extend([&json[copied..at], START, number, END]);
                    copied = at + number.len();
                }
                number.len()
            }
            // A longer character passes byte by byte: only ASCII is sliced.
            _ => 1,
        };
    }
    if copied == 0 {
        return json.into();
    }
    marked.push_str(&json[copied..]);
    marked.into()
}

/// Turns the objects back into numbers.
pub(crate) fn unmark(json: &str) -> String {
    let mut parts = json.split(START);
    let mut unmarked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(END) {
            Some((number, rest)) if is_number(number) => unmarked.extend([number, rest]),
            _ => unmarked.extend([START, part]),
        }
    }
    unmarked
}

/// Returns the length of the string at the start of a text, quotes included.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

fn is_number(text: &str) -> bool {
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    is_number && serde_json::from_str::<&RawValue>(text).is_ok()
}

fn is_rounded(number: &str) -> bool {
    let is_exact = || {
        let value = serde_json::from_str::<Value>(number);
        let text = value.and_then(|value| serde_json::to_string(&value));
        text.is_ok_and(|text| text == number)
    };
    number.parse::<u64>().is_err() && is_number(number) && !is_exact()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_would_be_rounded_is_marked() {
        let check = |json: &str, expected: &str| {
            let marked = mark(json);
            assert_eq!(marked, expected, "{json}");
            assert_eq!(unmark(&marked), json);
        };
        for json in [
            r#"{"a":[1,-1,0.25,18446744073709551615],"b":"18446744073709551616"}"#,
            r#"{"18446744073709551616":"\"18446744073709551616","ä\\":"\\"}"#,
            "007",
            "18446744073709551616.5.5",
            "\"18446744073709551616",
            "",
        ] {
            check(json, json);
        }
        check(
            r#"{"a":18446744073709551616,"b":[-18446744073709551616,1]}"#,
            r#"{"a":{"$events::Number":"18446744073709551616"},"b":[{"$events::Number":"-18446744073709551616"},1]}"#,
        );
        check("1e999", r#"{"$events::Number":"1e999"}"#);
        check(
            "0.12345678901234567890",
            r#"{"$events::Number":"0.12345678901234567890"}"#,
        );
    }

    #[test]
    fn an_object_that_stands_for_no_number_stays() {
        for json in [
            r#"{"$events::Number":"seven"}"#,
            r#"{"$events::Number":""}"#,
            r#"{"$events::Number":""#,
        ] {
            assert_eq!(unmark(json), json);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_changed_on_the_way(json in r#"[ -~ä"\\0-9.eE{}\[\]:,-]{0,60}"#) {
            prop_assert_eq!(unmark(&mark(&json)), json);
        }
    }
}
