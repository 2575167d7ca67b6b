//! The rules in force.

use super::{
    Faults, Judge,
    injection::{Injected, Injection, Kind},
    locked,
};
use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex},
};
use tokio::task::AbortHandle;

#[derive(Default)]
pub(super) struct Rules {
    next: u64,
    in_force: BTreeMap<u64, InForce>,
}

pub(super) struct InForce {
    pub(super) rule: Ask,
    /// The task of a rule that goes by the clock.
    clock: Option<AbortHandle>,
}

#[derive(Clone)]
pub(super) enum Ask {
    Judge(Judge),
    Injected(Arc<Mutex<Injected>>),
}

/// Keeps a rule in force until it is dropped.
#[must_use = "a rule that is dropped at once breaks nothing"]
pub struct Rule<'a> {
    faults: &'a Faults,
    number: u64,
    stays: bool,
}

impl Rule<'_> {
    /// Keeps the rule in force until it is lifted by this number.
    pub fn for_good(mut self) -> u64 {
        self.stays = true;
        self.number
    }
}

impl Drop for Rule<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.faults.lift(self.number);
        }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.abort();
        }
    }
}

impl Rules {
    pub(super) fn all(&self) -> Vec<Ask> {
        let rules = self.in_force.values();
        rules.map(|in_force| in_force.rule.clone()).collect()
    }
}

impl Faults {
    pub(super) fn enforce(&self, rule: Ask, clock: Option<AbortHandle>) -> Rule<'_> {
        let mut rules = locked(&self.rules);
        let number = rules.next;
        rules.next += 1;
        rules.in_force.insert(number, InForce { rule, clock });
        Rule {
            faults: self,
            number,
            stays: false,
        }
    }

    /// Ends a rule; returns whether there was one with this number.
    pub fn lift(&self, number: u64) -> bool {
        locked(&self.rules).in_force.remove(&number).is_some()
    }

    /// The injections in force by their numbers, oldest first.
    pub fn injections(&self) -> Vec<(u64, Injection)> {
        let rules = locked(&self.rules);
        let injection = |(number, in_force): (&u64, &InForce)| match &in_force.rule {
            Ask::Judge(_) => None,
            Ask::Injected(injected) => Some((*number, locked(injected).injection().clone())),
        };
        rules.in_force.iter().filter_map(injection).collect()
    }
}

/// Where it strikes, and how: `SendMessage done, then cut off`.
impl Display for Injection {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let place = self.operation.as_deref().or(self.function.as_deref());
        match (&self.kind, place) {
            (Kind::Message(_), _) => f.write_str("messages ")?,
            (Kind::Call(_) | Kind::Cancel(_) | Kind::Part(_), None) => f.write_str("calls ")?,
            (Kind::Function(_), None) => f.write_str("functions ")?,
            (_, Some(place)) => write!(f, "{place} ")?,
        }
        match &self.kind {
            Kind::Call(fault) => fault.fmt(f),
            Kind::Cancel(reason) => write!(f, "cancelled: {reason}"),
            Kind::Part(code) => write!(f, "done in part, the rest {code}"),
            Kind::Message(delivery) => delivery.fmt(f),
            Kind::Function(crash) => crash.fmt(f),
        }
    }
}
