//! Reads a fuzzer's bytes as choices.

/// Pieces of texts, in addition to plain letters: characters that are escaped, forbidden, invisible or long in some encoding.
const PIECES: [&str; 32] = [
    "\0",
    "\u{1}",
    "\t",
    "\n",
    "\r\n",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{9b}2J",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "😀",
    "ä",
    "\"",
    "\\",
    "\\n",
    "\\ud800",
    "/",
    "~",
    ",",
    ";",
    " ",
    "%0a",
    "${x}",
    "../",
    "0",
    "=",
];
/// How many times a piece is repeated: around the limits of texts and of keys, and around large sizes.
const TIMES: [usize; 12] = [2, 7, 32, 63, 64, 65, 128, 254, 255, 256, 1024, 50_000];

/// Bytes as choices, one after the other. When they are used up, every choice is the first one: a program that is cut short is
/// still valid, which is how a fuzzer shrinks its finds.
#[derive(Debug)]
pub struct Program<'a>(&'a [u8]);

impl<'a> Program<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Program(bytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Returns one of `0..n`, or 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        let high = if n > 256 { self.byte() } else { 0 };
        let choice = usize::from(high) << 8 | usize::from(self.byte());
        choice.checked_rem(n).unwrap_or_default()
    }

    /// Returns one of these.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// Returns true once in `n` times; never when the bytes are used up.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }

    /// A text of a few pieces.
    pub fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(6) {
            match self.byte() {
                plain @ 0..96 => text.push(char::from(b' ' + plain)),
                piece @ 96..224 => text.push_str(PIECES[usize::from(piece) % PIECES.len()]),
                _ => {
                    let piece = self.pick(&["x", "ä", "\u{1}", "~", "😀", "/"]);
                    text.push_str(&piece.repeat(*self.pick(&TIMES)));
                }
            }
        }
        text
    }

    /// The remaining bytes, unchanged.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
