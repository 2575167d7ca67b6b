//! What an operator sees and does.

use crate::{console::Console, stop::Stop};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;

/// Text in memory.
#[derive(Debug, Clone, Default)]
pub struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// Returns what was written.
    pub fn read(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic in here")).into_owned()
    }

    /// Returns a console that prints its results here.
    pub fn console(&self) -> Console {
        Console::new(Box::new(self.clone()), Box::new(io::sink()), false)
    }

    /// Returns a console that prints everything here.
    pub fn whole_console(&self) -> Console {
        Console::new(Box::new(self.clone()), Box::new(self.clone()), false)
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no panic in here")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An operator who may stop the work.
pub fn operator() -> (watch::Sender<bool>, Stop) {
    let (want, wanted) = watch::channel(false);
    (want, Stop::new(wanted))
}
