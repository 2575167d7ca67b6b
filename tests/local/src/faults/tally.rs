//! Counts each fault.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

/// Counts faults by place and kind.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    pub(crate) fn count(&self, place: &str, fault: impl fmt::Display) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(format!("{place} {fault}")).or_default() += 1;
    }

    /// `("SendMessage done, then cut off", 3)`, by name.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Prints a table, one kind of fault per line.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let counts = self.counts();
        let width = counts.keys().map(String::len).max().unwrap_or(0);
        for (fault, count) in counts {
            writeln!(f, "  {fault:width$}  {count:>7}")?;
        }
        Ok(())
    }
}
