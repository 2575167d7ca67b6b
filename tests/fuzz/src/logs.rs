//! Checks log lines: each is one line of JSON, of bounded length, with nothing in it that a client sent.

use crate::samples;
use events::{order::kit, text::steers};
use function::logs::kit::Log;
use serde_json::Value;
use tracing::{Dispatch, dispatcher::with_default, level_filters::LevelFilter};

/// The maximum size of a log line.
const LONGEST_LINE: usize = 4096;

/// What the functions log.
#[derive(Debug)]
pub struct Logs {
    log: Log,
    dispatch: Dispatch,
}

impl Logs {
    /// At the most verbose level.
    pub fn new() -> Self {
        let log = Log::default();
        let dispatch = log.dispatch(LevelFilter::TRACE);
        Self { log, dispatch }
    }

    /// Runs `what`, and checks every line that was logged meanwhile. `private` returns what else must not be in a line.
    pub fn judge<T>(&self, private: impl FnOnce(&T) -> Vec<String>, what: impl FnOnce() -> T) -> T {
        let result = with_default(&self.dispatch, what);
        let private = private(&result);
        let sent = private.iter().map(String::as_str);
        for line in self.log.take().lines() {
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
            let known = samples::PRIVATE.into_iter().chain(kit::PRIVATE);
            for private in known.chain(sent.clone()) {
                assert!(!line.contains(private), "{private:?} is in {line}");
            }
        }
        result
    }
}
