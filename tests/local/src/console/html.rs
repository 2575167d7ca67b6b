//! Writes HTML, and escapes every value that it inserts, unless that is HTML itself: whatever a client sends stays text.

use events::text::steers;
use std::fmt::{self, Display, Formatter, Write};

/// Complete HTML: every element in it is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(pub(super) String);

/// A value that can stand in HTML.
pub trait Part {
    /// Writes the value so that it is safe in an element, or in an attribute between `"`.
    fn write(&self, f: &mut Formatter) -> fmt::Result;
}

/// Displays a part by its own rule.
pub struct Shown<'a, T: Part + ?Sized>(pub &'a T);

/// Fills in values for each `{}` of the HTML, and escapes them.
macro_rules! html {
    ($html:literal $(, $value:expr)* $(,)?) => {
        $crate::console::html::Html(format!($html $(, $crate::console::html::Shown(&$value))*))
    };
}
pub(super) use html;

impl<T: Part + ?Sized> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.write(f)
    }
}

impl Part for str {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        self.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_char(c),
            c if steers(c) => f.write_char(char::REPLACEMENT_CHARACTER),
            c => f.write_char(c),
        })
    }
}

impl Part for Html {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Part for String {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        self.as_str().write(f)
    }
}

impl<T: Part + ?Sized> Part for &T {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        (**self).write(f)
    }
}

/// Writes nothing for `None`.
impl<T: Part> Part for Option<T> {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        self.iter().try_for_each(|part| part.write(f))
    }
}

/// Writes one after the other.
impl<T: Part> Part for Vec<T> {
    fn write(&self, f: &mut Formatter) -> fmt::Result {
        self.iter().try_for_each(|part| part.write(f))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Part for $number {
            fn write(&self, f: &mut Formatter) -> fmt::Result {
                self.fmt(f)
            }
        })*
    };
}
numbers!(u16 u32 u64 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_wherever_it_stands() {
        let hostile = "\"'><script>&\u{0}\u{202e}\u{61c}\r\n";
        let found = html!("<p title=\"{}\">{}</p>", hostile, hostile.to_owned());
        let text = "&quot;&#39;&gt;&lt;script&gt;&amp;\u{fffd}\u{fffd}\u{fffd}\u{fffd}\n";
        assert_eq!(found.0, format!("<p title=\"{text}\">{text}</p>"));
    }

    #[test]
    fn html_is_put_in_as_it_is() {
        let items = vec![html!("<li>{}</li>", 1_usize), html!("<li>{}</li>", "<")];
        let none: Option<Html> = None;
        let found = html!("<ul>{}{}</ul>", items, none);
        assert_eq!(found.0, "<ul><li>1</li><li>&lt;</li></ul>");
    }
}
