//! Parses a form or a query: `rate=600&seconds=10`.

use std::{collections::BTreeMap, ops::RangeInclusive};

/// The values by name; the last one wins. Empty values are dropped: browsers send them for fields that were left blank.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Form(pub BTreeMap<String, String>);

impl Form {
    pub fn read(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text);
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.trim().to_owned()));
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Returns a field's value, or an empty string.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A whole number; the error is a sentence.
    pub fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
        let number = self.get(name).parse().ok();
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = range.into_inner();
                format!("{name} must be a whole number from {least} to {most}.")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let form = Form::read(b"rate=600&code=a+b%26c&empty=&seconds=+&rate=%36&bad=%ff&nothing");
        let expected = [("bad", "\u{fffd}"), ("code", "a b&c"), ("rate", "6")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(form, Form(expected.into()));
        assert_eq!(Form::read(b""), Form::default());
    }

    #[test]
    fn a_number_has_a_range() {
        for (text, expected) in [("1", Some(1)), ("9", Some(9)), ("0", None), ("10", None)] {
            let form = Form::read(format!("n={text}").as_bytes());
            assert_eq!(form.number("n", 1..=9).ok(), expected, "{text}");
        }
        for bad in ["", "n=", "n=-1", "n=1e3", "n=one", "n=4294967297"] {
            let number = Form::read(bad.as_bytes()).number("n", 1..=9);
            let expected = "n must be a whole number from 1 to 9.".to_owned();
            assert_eq!(number, Err(expected), "{bad}");
        }
    }
}
