//! Text that comes from elsewhere, made fit for a log line.

/// The most characters that are kept of it.
pub const LONGEST: usize = 500;

/// The beginning of `text`, without control characters: JSON escapes only the first 32 of them, and a terminal that shows
/// the log obeys others, too.
pub fn bounded(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut rest = text.chars();
    let mut bounded: String = rest.by_ref().take(LONGEST).map(visible).collect();
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
        check(&"ä".repeat(500), &"ä".repeat(500));
        check(&"ä".repeat(501), &("ä".repeat(500) + "…"));
    }
}
