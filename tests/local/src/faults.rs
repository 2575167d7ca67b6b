//! Faults at the wire between the functions and the services, for tests; off by default.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

/// Calls that `Faults::calls` remembers.
const CAPACITY: usize = 100_000;

/// A call to SQS or `DynamoDB`.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The function's logical id, else the access key id that signed the call.
    pub caller: &'a str,
    /// `SendMessage`, `TransactWriteItems`
    pub operation: &'a str,
    /// The request, in JSON.
    pub body: &'a [u8],
}

impl Call<'_> {
    /// Whether the request has this text in it, written as in JSON.
    pub fn contains(&self, text: &str) -> bool {
        // `str` searches several times faster than windows over bytes would, and every rule searches every call: a
        // transaction of 4 MB would be late otherwise.
        std::str::from_utf8(self.body).is_ok_and(|body| body.contains(text))
    }
}

/// What happens to a call instead of a plain answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Not done, and answered with an error.
    Refuse {
        /// Of HTTP.
        status: u16,
        /// `TransactionCanceledException`
        code: String,
        /// An object of the error's other fields: `message`, `CancellationReasons`.
        body: Value,
    },
    /// Done, but for these entries, by their `Id`, of a call such as `SendMessageBatch`.
    Partial {
        /// Those that are not done.
        entries: Vec<String>,
        /// The code that they are answered with in `Failed`; without one they are in neither list.
        code: Option<&'static str>,
    },
    /// Done, but the connection is cut before the answer.
    Unanswered,
    /// Done after this long, even if the caller has given up by then.
    Late(Duration),
}

impl Fault {
    /// An error with a message and nothing else.
    pub fn refuse(status: u16, code: &str, message: &str) -> Self {
        Self::Refuse {
            status,
            code: code.to_owned(),
            body: json!({ "message": message }),
        }
    }
}

type Judge = Arc<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// The rules in force, and what the functions called.
#[derive(Default)]
pub struct Faults {
    functions: BTreeSet<String>,
    rules: Mutex<Rules>,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Rules {
    next: u64,
    in_force: BTreeMap<u64, Judge>,
}

/// Keeps a rule in force until it is dropped.
#[must_use = "a rule that is dropped at once breaks nothing"]
pub struct Rule<'a> {
    faults: &'a Faults,
    number: u64,
}

impl Drop for Rule<'_> {
    fn drop(&mut self) {
        locked(&self.faults.rules).in_force.remove(&self.number);
    }
}

#[derive(Default)]
struct Calls {
    newest: VecDeque<(String, String)>,
    counts: BTreeMap<(String, String), usize>,
}

impl Faults {
    /// No rule; remembers the calls of these functions.
    pub fn new(functions: impl IntoIterator<Item = String>) -> Self {
        Self {
            functions: functions.into_iter().collect(),
            ..Self::default()
        }
    }

    /// As long as the rule is kept, every call to SQS and `DynamoDB`, a function's or another's, meets it. Of
    /// several rules the oldest that names a fault is followed; each sees every call.
    pub fn add(&self, judge: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) -> Rule<'_> {
        let mut rules = locked(&self.rules);
        let number = rules.next;
        rules.next += 1;
        rules.in_force.insert(number, Arc::new(judge));
        Rule {
            faults: self,
            number,
        }
    }

    /// The functions' calls, as caller and operation, newest last; only the newest 100,000.
    pub fn calls(&self) -> Vec<(String, String)> {
        locked(&self.calls).newest.iter().cloned().collect()
    }

    /// How often a function called an operation so far.
    pub fn count(&self, caller: &str, operation: &str) -> usize {
        let key = (caller.to_owned(), operation.to_owned());
        locked(&self.calls).counts.get(&key).copied().unwrap_or(0)
    }

    /// Remembers a call and says which fault it meets.
    pub(crate) fn meet(&self, call: &Call) -> Option<Fault> {
        if self.functions.contains(call.caller) {
            let key = (call.caller.to_owned(), call.operation.to_owned());
            let mut calls = locked(&self.calls);
            *calls.counts.entry(key.clone()).or_default() += 1;
            if calls.newest.len() == CAPACITY {
                calls.newest.pop_front();
            }
            calls.newest.push_back(key);
        }
        // Not under the lock: a rule may add another.
        let rules: Vec<_> = locked(&self.rules).in_force.values().cloned().collect();
        let faults: Vec<_> = rules.iter().filter_map(|judge| judge(call)).collect();
        faults.into_iter().next()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_for_every_caller_and_only_functions_are_counted() {
        let faults = Faults::new(["F".to_owned()]);
        let rule =
            faults.add(|call| (call.operation == "SendMessage").then_some(Fault::Unanswered));
        let meet = |caller, operation| {
            let body = b"";
            let call = Call {
                caller,
                operation,
                body,
            };
            faults.meet(&call).is_some()
        };
        assert!(meet("F", "SendMessage"));
        assert!(meet("test", "SendMessage"));
        assert!(!meet("F", "PutItem"));
        drop(rule);
        assert!(!meet("F", "SendMessage"));
        let calls = faults.calls();
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[1], ("F".to_owned(), "PutItem".to_owned()));
        assert_eq!(faults.count("F", "SendMessage"), 2);
        assert_eq!(faults.count("test", "SendMessage"), 0);
    }
}
