//! For tests: a log in memory.

use super::logs;
use std::{
    io,
    sync::{Arc, Mutex, Once},
};
use tracing::{
    Dispatch,
    dispatcher::{DefaultGuard, set_default},
    level_filters::LevelFilter,
    subscriber::set_global_default,
};

/// Keeps the lines that are written to it.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Receives this thread's lines at `level` and above, until the guard is dropped.
    pub fn listen(&self, level: LevelFilter) -> DefaultGuard {
        set_default(&self.dispatch(level))
    }

    /// Receives lines at `level` and above, where the result is made a thread's default.
    pub fn dispatch(&self, level: LevelFilter) -> Dispatch {
        static GLOBAL: Once = Once::new();
        // A test on another thread, without a subscriber, may be the first to reach a log statement. `tracing` would then
        // cache that nothing is interested in it, unless there is a global subscriber.
        GLOBAL.call_once(|| {
            set_global_default(tracing_subscriber::registry()).expect("there is no other");
        });
        let to = self.clone();
        Dispatch::new(logs(move || to.clone(), level))
    }

    /// Returns the lines and clears them.
    pub fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic in here"));
        String::from_utf8(bytes).expect("lines are UTF-8")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic in here").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
