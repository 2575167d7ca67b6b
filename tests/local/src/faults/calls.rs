//! Records the functions' calls.

use super::fault::Call;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The number of newest calls that are kept in sequence.
const CAPACITY: usize = 100_000;

/// The functions' calls, as caller and operation.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) newest: VecDeque<(String, String)>,
    pub(super) counts: BTreeMap<(String, String), usize>,
}

impl Calls {
    pub(super) fn remember(&mut self, functions: &BTreeSet<String>, call: &Call) {
        if !functions.contains(call.caller) {
            return;
        }
        let key = (call.caller.to_owned(), call.operation.to_owned());
        *self.counts.entry(key.clone()).or_default() += 1;
        if self.newest.len() == CAPACITY {
            self.newest.pop_front();
        }
        self.newest.push_back(key);
    }
}
