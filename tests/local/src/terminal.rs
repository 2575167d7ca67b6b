//! Writes for a reader who may be gone: without one, output is dropped, where `println!` would panic.

use std::io::{Write, stderr, stdout};

/// Writes to stdout.
pub fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// Writes to stderr.
pub fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
