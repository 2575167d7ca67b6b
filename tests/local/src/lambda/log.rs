//! Keeps the newest lines that a function's processes wrote.

use crate::terminal::note;
use events::text::shown;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The number of lines that are kept per function.
const CAPACITY: usize = 10_000;

#[derive(Debug)]
pub(super) struct Log {
    /// Printed before each line on stderr; `None`: nothing is printed.
    prefix: Option<String>,
    lines: Mutex<VecDeque<String>>,
}

impl Log {
    pub(super) fn new(function: &str, print: bool) -> Self {
        Self {
            prefix: print.then(|| format!("[{function}] ")),
            lines: Mutex::default(),
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.locked().iter().cloned().collect()
    }

    pub(super) fn lines_with(&self, text: &str) -> Vec<String> {
        let lines = self.locked();
        let found = lines.iter().filter(|line| line.contains(text));
        found.cloned().collect()
    }

    /// Keeps the lines of `output` until it closes.
    pub(super) async fn follow(&self, output: impl AsyncRead + Unpin) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output.read_until(b'\n', &mut line).await {
            self.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }

    fn push(&self, line: String) {
        if let Some(prefix) = &self.prefix {
            // It may contain what a client sent.
            let visible: String = line.chars().map(shown).collect();
            note(&format!("{prefix}{visible}"));
        }
        let mut lines = self.locked();
        if lines.len() == CAPACITY {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_lines_make_room_for_the_newest() {
        let log = Log::new("f", false);
        let numbers: Vec<_> = (0..CAPACITY + 2).map(|n| n.to_string()).collect();
        log.follow(numbers.join("\n").as_bytes()).await;
        log.follow(&b"no newline \xff"[..]).await;
        let lines = log.lines();
        assert_eq!(lines.len(), CAPACITY);
        assert_eq!(lines[0], "3");
        assert_eq!(lines[CAPACITY - 1], "no newline \u{fffd}");
        assert_eq!(log.lines_with("newline"), lines[CAPACITY - 1..]);
    }
}
