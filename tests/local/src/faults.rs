//! Injects faults between the functions and the services, and into the functions' processes. It is off by default.
//!
//! # Layout
//! - `fault`: the kinds of fault; `injection`: a fault with its place and rate; `file`: injections, read from a file
//! - `in_force`: the rules, until they are lifted
//! - `processes`: the processes, so that a fault can kill them; `tally`: counts faults; `calls`: records calls

mod calls;
mod fault;
pub mod file;
mod in_force;
mod injection;
mod processes;
mod tally;

use calls::Calls;
use fastrand::Rng;
pub use fault::{Call, Crash, Delivery, Fault};
pub use in_force::Rule;
use in_force::{Ask, Rules};
use injection::Injected;
pub use injection::{Injection, Kind};
pub(crate) use processes::{Processes, Switch};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
pub use tally::Tally;
use tokio::{
    task::AbortHandle,
    time::{MissedTickBehavior, interval},
};

type Judge = Arc<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// The rules in force, the counts of their faults, and the functions' calls.
#[derive(Default)]
pub struct Faults {
    functions: BTreeSet<String>,
    rules: Mutex<Rules>,
    calls: Mutex<Calls>,
    processes: Arc<Processes>,
    tally: Arc<Tally>,
}

impl Faults {
    /// Starts without a rule; records the calls of these functions.
    pub fn new(functions: impl IntoIterator<Item = String>) -> Self {
        Self {
            functions: functions.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds a rule that sees every call to SQS, `DynamoDB` and EventBridge, by a function or any other caller, until it is
    /// dropped. The oldest rule that returns a fault decides; each rule sees every call.
    pub fn add(&self, judge: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) -> Rule<'_> {
        self.enforce(Ask::Judge(Arc::new(judge)), None)
    }

    /// Injects faults until the rule is dropped. The n-th event that it matches has the same fate for the same seed. It
    /// affects only functions' calls. A rule that goes by the clock needs a Tokio runtime.
    pub fn inject(&self, injection: Injection, seed: u64) -> Rule<'_> {
        let clock = self.clock(&injection, seed);
        let injected = Injected::new(injection, seed);
        self.enforce(Ask::Injected(Arc::new(Mutex::new(injected))), clock)
    }

    /// Starts a task that kills processes at intervals.
    fn clock(&self, injection: &Injection, seed: u64) -> Option<AbortHandle> {
        let Kind::Function(crash @ Crash::KilledEvery(period)) = injection.kind else {
            return None;
        };
        let Injection {
            function,
            rate,
            times,
            ..
        } = injection.clone();
        let (processes, tally) = (self.processes.clone(), self.tally.clone());
        let mut chance = Rng::with_seed(seed);
        let task = tokio::spawn(async move {
            let mut ticks = interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            let mut killed = 0;
            while times.is_none_or(|most| killed < most) {
                ticks.tick().await;
                let (fate, dice) = (chance.f64(), chance.f64());
                if fate < rate
                    && let Some(function) = processes.kill_any(function.as_deref(), dice)
                {
                    tally.count(&function, crash);
                    killed += 1;
                }
            }
        });
        Some(task.abort_handle())
    }

    /// The functions' calls, as caller and operation, newest last; only the newest 100,000.
    pub fn calls(&self) -> Vec<(String, String)> {
        locked(&self.calls).newest.iter().cloned().collect()
    }

    /// Counts a function's calls of an operation so far.
    pub fn count(&self, caller: &str, operation: &str) -> usize {
        let key = (caller.to_owned(), operation.to_owned());
        locked(&self.calls).counts.get(&key).copied().unwrap_or(0)
    }

    /// The count of each fault so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn processes(&self) -> &Arc<Processes> {
        &self.processes
    }

    /// Records a call and returns the fault for it.
    pub(crate) fn meet(&self, call: &Call) -> Option<Fault> {
        locked(&self.calls).remember(&self.functions, call);
        let is_a_functions = self.functions.contains(call.caller);
        let fault = self.first(|rule| match rule {
            Ask::Judge(judge) => judge(call),
            Ask::Injected(_) if !is_a_functions => None,
            Ask::Injected(injected) => locked(injected).call(call),
        });
        self.counted(call.operation, fault)
    }

    /// Decides on a message before it is delivered to a function.
    pub(crate) fn deliver(&self, body: &str) -> Option<Delivery> {
        let delivery = self.first(|rule| match rule {
            Ask::Judge(_) => None,
            Ask::Injected(injected) => locked(injected).message(body),
        });
        self.counted("message", delivery)
    }

    /// Decides on a process when it starts, or on the payload of an invocation when the process gets one. The caller counts
    /// the crash once it has happened.
    pub(crate) fn crash(&self, function: &str, payload: Option<&[u8]>) -> Option<Crash> {
        self.first(|rule| match rule {
            Ask::Judge(_) => None,
            Ask::Injected(injected) => locked(injected).process(function, payload),
        })
    }

    fn counted<T: fmt::Display>(&self, place: &str, fault: Option<T>) -> Option<T> {
        fault.inspect(|fault| self.tally.count(place, fault))
    }

    /// Returns the first fault that a rule returns; every rule is asked.
    fn first<T>(&self, ask: impl Fn(&Ask) -> Option<T>) -> Option<T> {
        // Holds no lock: a rule may add another.
        let rules: Vec<_> = locked(&self.rules).all();
        let faults: Vec<_> = rules.iter().filter_map(ask).collect();
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

    #[test]
    fn what_is_injected_strikes_functions_alone_and_is_counted() {
        let faults = Faults::new(["F".to_owned()]);
        let rule = faults.inject(Injection::new(Kind::Call(Fault::Unanswered)), 1);
        let meet = |caller| {
            let (operation, body) = ("SendMessage", &b""[..]);
            faults.meet(&Call {
                caller,
                operation,
                body,
            })
        };
        assert_eq!(meet("F"), Some(Fault::Unanswered));
        assert_eq!(meet("test"), None);
        drop(rule);
        assert_eq!(meet("F"), None);
        let overtaken = Injection::new(Kind::Message(Delivery::Overtaken));
        let number = faults.inject(overtaken.clone(), 1).for_good();
        assert_eq!(faults.deliver(""), Some(Delivery::Overtaken));
        assert_eq!(faults.injections(), [(number, overtaken)]);
        assert!(faults.lift(number) && !faults.lift(number));
        assert_eq!(faults.deliver(""), None);
        let expected = [
            ("SendMessage done, then cut off".to_owned(), 1),
            ("message delivered out of order".to_owned(), 1),
        ];
        assert_eq!(faults.tally().counts(), expected.into());
    }
}
