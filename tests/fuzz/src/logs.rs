//! Checks log lines: each is one line of JSON, of bounded length, with nothing in it that a client sent.

use crate::samples;
use events::text::steers;
use serde_json::Value;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing::{Dispatch, dispatcher::with_default};
use tracing_subscriber::filter::LevelFilter;

/// The maximum size of a log line.
const LONGEST_LINE: usize = 4096;

/// The logs of one function.
#[derive(Debug)]
pub struct Logs {
    written: Written,
    dispatch: Dispatch,
}

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
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

impl Logs {
    /// The logs of `ingest` and `status`, at the most verbose level.
    pub fn of_ingest() -> Self {
        let written = Written::default();
        let to = written.clone();
        Self {
            dispatch: Dispatch::new(function::logs::logs(move || to.clone(), LevelFilter::TRACE)),
            written,
        }
    }

    /// The logs of `process`.
    pub fn of_process() -> Self {
        let written = Written::default();
        let to = written.clone();
        Self {
            dispatch: Dispatch::new(function::logs::logs(move || to.clone(), LevelFilter::TRACE)),
            written,
        }
    }

    /// Runs `what`, and checks every line that was logged meanwhile. `private` returns what else must not be in a line.
    pub fn judge<T>(&self, private: impl FnOnce(&T) -> Vec<String>, what: impl FnOnce() -> T) -> T {
        let result = with_default(&self.dispatch, what);
        let written = std::mem::take(&mut *self.written.0.lock().expect("no panic in here"));
        let private = private(&result);
        let sent = private.iter().map(String::as_str);
        let text = String::from_utf8(written).expect("logs are UTF-8");
        for line in text.lines() {
            assert!(
                line.len() <= LONGEST_LINE,
                "a line of {} bytes: {line:.500}",
                line.len()
            );
            assert!(
                !line.chars().any(steers),
                "a character that steers a terminal: {line:?}"
            );
            assert!(
                serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()),
                "not JSON: {line}"
            );
            for private in samples::PRIVATE.into_iter().chain(sent.clone()) {
                assert!(!line.contains(private), "{private:?} is in {line}");
            }
        }
        result
    }
}
