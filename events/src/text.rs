//! Makes text from elsewhere fit for a log line or a terminal.

/// Maximum number of characters that are kept.
pub const LONGEST: usize = 500;

/// Returns whether a character acts on the text around it instead of being shown: control characters, which a terminal obeys
/// and of which JSON escapes only the first 32; line separators; and the controls of bidirectional text, which reverse or hide
/// text beside them.
pub fn steers(c: char) -> bool {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_bidirectional
}

/// Returns the character, or its replacement if it [`steers`]: a blank for a control character, which mostly separates words,
/// else U+FFFD.
pub fn shown(c: char) -> char {
    match c {
        c if c.is_control() => ' ',
        c if steers(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Returns the beginning of `text`, as it is [`shown`], with `…` if more follows.
pub fn bounded(text: &str) -> String {
    let mut rest = text.chars();
    let mut bounded: String = rest.by_ref().take(LONGEST).map(shown).collect();
    if rest.next().is_some() {
        bounded.push('…');
    }
    bounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_cannot_steer_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(bounded(text), expected);
        check("no such queue", "no such queue");
        check("a\nb\u{1b}[31m\u{9b}2J\u{7f}", "a b [31m 2J ");
        check("ann\u{202e}nimda\u{202c}", "ann\u{fffd}nimda\u{fffd}");
        check(
            "\u{61c}\u{200f}a\u{2067}b\u{2069}",
            "\u{fffd}\u{fffd}a\u{fffd}b\u{fffd}",
        );
        check("a\u{2028}b\u{2029}", "a\u{fffd}b\u{fffd}");
        check("שלום עולם, مرحبا\u{200d}", "שלום עולם, مرحبا\u{200d}");
        check(&"ä".repeat(500), &"ä".repeat(500));
        check(&"ä".repeat(501), &("ä".repeat(500) + "…"));
    }
}
