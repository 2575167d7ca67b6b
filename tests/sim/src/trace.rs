//! A log of a run, to investigate a failing seed.

use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// The events of a run, if they are kept.
#[derive(Debug, Clone)]
pub struct Trace {
    start: Instant,
    events: Option<Arc<Mutex<Vec<String>>>>,
}

impl Trace {
    /// Starts a log, which keeps events or drops them.
    pub fn new(keep: bool) -> Self {
        Self {
            start: Instant::now(),
            events: keep.then(Arc::default),
        }
    }

    pub fn say(&self, what: impl FnOnce() -> String) {
        if let Some(events) = &self.events {
            let at = self.start.elapsed().as_secs_f64();
            let line = format!("{at:10.3} s  {}", what());
            events.lock().expect("no panic in here").push(line);
        }
    }

    pub fn events(&self) -> Vec<String> {
        let events = self.events.as_ref();
        events.map_or_else(Vec::new, |events| {
            events.lock().expect("no panic in here").clone()
        })
    }
}
