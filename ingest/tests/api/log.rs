//! A log in memory.

use anyhow::Result;
use std::{
    io,
    sync::{Arc, Mutex},
};

/// Keeps the lines that are written to it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Gives the lines, and forgets them.
    pub fn take(&self) -> Result<String> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic in here"));
        Ok(String::from_utf8(bytes)?)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().expect("no panic in here");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
