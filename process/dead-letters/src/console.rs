//! Prints results and progress.

use events::text::shown;
use std::{
    fmt::{self, Debug, Display, Formatter},
    io::{self, IsTerminal, Write},
};

/// Clears the line that the cursor is on.
const CLEAR: &str = "\r\u{1b}[K";

/// Prints results to stdout, and everything else to stderr. No text can steer the terminal, wherever it came from. A failed
/// write is an error and not a panic: what was received must still be given back.
pub struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    is_terminal: bool,
    /// Whether the line of progress is shown.
    has_progress: bool,
}

impl Debug for Console {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

impl Console {
    /// Prints to the process's stdout and stderr.
    pub fn standard() -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), is_terminal)
    }

    /// Prints results to `out` and everything else to `err`. On a terminal, progress is a single line that is overwritten.
    pub fn new(out: Box<dyn Write>, err: Box<dyn Write>, is_terminal: bool) -> Self {
        Self {
            out,
            err,
            is_terminal,
            has_progress: false,
        }
    }

    /// Prints a line of the result.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        self.clear()?;
        writeln!(self.out, "{}", visible(line))
    }

    /// Prints a note that is not part of the result.
    pub fn note(&mut self, note: impl Display) -> io::Result<()> {
        self.clear()?;
        writeln!(self.err, "{}", visible(note))
    }

    /// Prints the progress.
    pub fn progress(&mut self, progress: impl Display) -> io::Result<()> {
        if self.is_terminal {
            write!(self.err, "{CLEAR}{progress}")?;
            self.has_progress = true;
            self.err.flush()
        } else {
            writeln!(self.err, "{progress}")
        }
    }

    /// Prints a question, without ending the line.
    pub fn ask(&mut self, question: impl Display) -> io::Result<()> {
        self.clear()?;
        write!(self.err, "{}", visible(question))?;
        self.err.flush()
    }

    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.has_progress) {
            write!(self.err, "{CLEAR}")?;
            self.err.flush()?;
        }
        Ok(())
    }
}

/// Returns text without characters that would [steer](events::text::steers) a terminal.
pub fn visible(text: impl Display) -> String {
    let visible = |c| if c == '\n' { c } else { shown(c) };
    text.to_string().chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::Text;

    #[test]
    fn nothing_that_is_printed_steers_a_terminal() -> io::Result<()> {
        let (out, err) = (Text::default(), Text::default());
        let mut console = Console::new(Box::new(out.clone()), Box::new(err.clone()), false);
        let hostile = "a\u{1b}[2J\u{202e}b\u{9b}\nc";
        console.line(hostile)?;
        console.note(hostile)?;
        console.ask(hostile)?;
        let expected = "a [2J\u{fffd}b \nc";
        assert_eq!(out.read(), format!("{expected}\n"));
        assert_eq!(err.read(), format!("{expected}\n{expected}"));
        Ok(())
    }
}
