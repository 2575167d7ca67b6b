//! Reads an event's JSON member by member, as raw text, so that an odd value in a member that isn't used does no harm: half a
//! surrogate pair, a number that is too large, endless nesting, an undocumented type.

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Members of an object. If a name is repeated, the last member counts. `null` counts as absent.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads an object. Returns None if the value isn't one.
    pub fn read(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// Returns a member's raw value.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut members = self.0.iter().rev();
        let (_, value) = members.find(|(known, _)| known == name)?;
        Some(*value).filter(|value| value.get() != "null")
    }

    /// Returns whether the object has a member with this name, even `null`.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns a member that is an object. Anything else counts as an empty object.
    #[must_use]
    pub fn object(&self, name: &str) -> Self {
        self.get(name).and_then(Self::read).unwrap_or_default()
    }

    /// Returns a member that is Unicode text.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.get(name)?.get();
        // An error would cost more than the text.
        let is_string = value.starts_with('"');
        is_string.then(|| serde_json::from_str(value).ok())?
    }

    /// Returns all members in the sequence sent.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// Returns the text of a string, with U+FFFD in place of what isn't Unicode; None if the value isn't a string.
pub fn lossy(value: &RawValue) -> Option<Cow<'_, str>> {
    let is_string = value.get().starts_with('"');
    let text = is_string.then(|| serde_json::from_str::<Lossy<'_>>(value.get()));
    Some(text?.ok()?.0)
}

struct Lossy<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Lossy<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Lossy<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes)))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned().into()))
            }
        }
        // As bytes, `serde_json` also returns half a surrogate pair.
        deserializer.deserialize_bytes(Text)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Lossy(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::from_str;

    #[test]
    fn an_odd_member_leaves_the_others_alone() -> Result<(), serde_json::Error> {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for odd in [
            r#""\ud83d""#,
            r#""\udc00\ud800""#,
            "1e999",
            &deep,
            "{\"\\ud800\":1}",
            "null",
        ] {
            let text = format!(r#"{{"odd":{odd},"a\ud800":{odd},"name":"ann"}}"#);
            let object = Object::read(from_str(&text)?).expect("an object");
            assert_eq!(object.text("name").as_deref(), Some("ann"));
            assert_eq!(object.text("odd"), None);
            assert!(object.has("odd"));
        }
        Ok(())
    }

    #[test]
    fn a_text_is_read_as_far_as_it_is_unicode() -> Result<(), serde_json::Error> {
        let check = |text: &str, expected: Option<&str>| {
            let read =
                lossy(from_str(text)?).map(|text| text.replace("\u{fffd}\u{fffd}", "\u{fffd}"));
            assert_eq!(read.as_deref(), expected, "{text}");
            Ok::<_, serde_json::Error>(())
        };
        check(r#""a\nä""#, Some("a\nä"))?;
        check(r#""\ud83d\ude00""#, Some("\u{1f600}"))?;
        check(r#""""#, Some(""))?;
        for other in ["7", "null", "[97]", "{}", "true"] {
            check(other, None)?;
        }
        let half = lossy(from_str(r#""a\ud83d b""#)?)
            .expect("a text")
            .into_owned();
        assert!(
            half.starts_with("a\u{fffd}") && half.ends_with(" b"),
            "{half}"
        );
        Ok(())
    }

    #[test]
    fn the_last_of_several_members_counts_and_null_is_absent() -> Result<(), serde_json::Error> {
        let text = r#"{"a":"1","a":"2","b":"1","b":null,"o":{"a":"3"}}"#;
        let object = Object::read(from_str(text)?).expect("an object");
        assert_eq!(object.text("a").as_deref(), Some("2"));
        assert_eq!(object.text("b"), None);
        assert_eq!(object.object("o").text("a").as_deref(), Some("3"));
        assert_eq!(object.object("a").members().count(), 0);
        Ok(())
    }
}
