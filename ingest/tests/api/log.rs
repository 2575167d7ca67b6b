//! A log in memory.

use anyhow::Result;
use function::logs::logs;
use std::{
    io,
    sync::{Arc, Mutex, Once},
};
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};
use tracing_subscriber::{filter::LevelFilter, registry};

/// Keeps the lines that are written to it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Receives this thread's lines at INFO and above, until the guard is dropped.
    pub fn listen(&self) -> DefaultGuard {
        static LISTENS: Once = Once::new();
        // A test on another thread, without a subscriber, may be the first to reach a log statement. `tracing` would then
        // cache that nothing is interested in it, unless there is a global subscriber.
        LISTENS.call_once(|| set_global_default(registry()).expect("there is no other"));
        let to = self.clone();
        set_default(logs(move || to.clone(), LevelFilter::INFO))
    }

    /// Returns the lines and clears them.
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
