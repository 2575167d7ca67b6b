//! A fault, its place and its rate.

use super::fault::{Call, Crash, Delivery, Fault, contains};
use fastrand::Rng;
use serde_json::json;
use std::time::Duration;

/// Faults of one kind. Built with [`Injection::new`]; a filter that isn't set matches everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    /// The kind of fault.
    pub kind: Kind,
    /// The share of matching events that it strikes, from 0 to 1.
    pub rate: f64,
    /// The maximum number of times that it strikes.
    pub times: Option<u64>,
    /// Strikes only this function, or this function's calls.
    pub function: Option<String>,
    /// Strikes only calls of this operation.
    pub operation: Option<String>,
    /// Strikes only calls, messages or invocations that contain this text, written as in JSON.
    pub containing: Option<String>,
    /// Strikes only calls whose request is larger than this, in bytes.
    pub larger_than: Option<usize>,
}

/// The kinds of injected fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A function's call fails.
    Call(Fault),
    /// A transaction isn't done: one of its actions, drawn at random, gets this reason.
    Cancel(String),
    /// A batch call is done except for one entry, drawn at random, which gets this code.
    Part(String),
    /// The delivery of a message to a function goes wrong.
    Message(Delivery),
    /// A function's process goes wrong.
    Function(Crash),
}

impl Injection {
    /// Strikes always and everywhere.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            rate: 1.0,
            times: None,
            function: None,
            operation: None,
            containing: None,
            larger_than: None,
        }
    }

    fn is_for(&self, function: &str, body: &[u8]) -> bool {
        let names = |wanted: &Option<String>, name| wanted.as_deref().is_none_or(|w| w == name);
        let text = self.containing.as_deref();
        names(&self.function, function) && text.is_none_or(|text| contains(body, text))
    }
}

/// An injection in force. The fate of the n-th event that matches it depends only on the seed.
#[derive(Debug)]
pub(super) struct Injected {
    injection: Injection,
    chance: Rng,
    strikes: u64,
}

impl Injected {
    pub(super) fn new(injection: Injection, seed: u64) -> Self {
        Self {
            injection,
            chance: Rng::with_seed(seed),
            strikes: 0,
        }
    }

    pub(super) fn injection(&self) -> &Injection {
        &self.injection
    }

    pub(super) fn call(&mut self, call: &Call) -> Option<Fault> {
        let wanted = &self.injection;
        let (operation, larger_than) = (wanted.operation.as_deref(), wanted.larger_than);
        if operation.is_some_and(|operation| operation != call.operation)
            || larger_than.is_some_and(|bytes| call.body.len() <= bytes)
            || !wanted.is_for(call.caller, call.body)
        {
            return None;
        }
        match &wanted.kind {
            Kind::Call(fault) => {
                let fault = fault.clone();
                self.strike().map(|_| fault)
            }
            Kind::Cancel(reason) => {
                let mut reasons = vec![json!({"Code": "None"}); call.actions()];
                let blamed = json!({"Code": reason, "Message": "injected"});
                let dice = self.strike()?;
                let index = scaled(reasons.len(), dice);
                *reasons.get_mut(index)? = blamed;
                Some(Fault::cancel(&reasons.into()))
            }
            Kind::Part(code) => {
                let (mut entries, code) = (call.entries(), code.clone());
                let dice = self.strike()?;
                let index = scaled(entries.len(), dice);
                (index < entries.len()).then(|| Fault::Partial {
                    entries: vec![entries.swap_remove(index)],
                    code: Some(code),
                })
            }
            Kind::Message(_) | Kind::Function(_) => None,
        }
    }

    pub(super) fn message(&mut self, body: &str) -> Option<Delivery> {
        let Kind::Message(delivery) = self.injection.kind else {
            return None;
        };
        let hit = self.injection.is_for("", body.as_bytes());
        hit.then(|| self.strike())?.map(|_| delivery)
    }

    /// Decides on a process when it starts, or on the payload of an invocation when the process gets one.
    pub(super) fn process(&mut self, function: &str, payload: Option<&[u8]>) -> Option<Crash> {
        let Kind::Function(crash) = self.injection.kind else {
            return None;
        };
        let in_its_place = match crash {
            Crash::KilledInInit(_) => payload.is_none(),
            Crash::Killed(_) | Crash::Hung(_) | Crash::Garbage => payload.is_some(),
            Crash::KilledEvery(_) => false,
        };
        if !in_its_place || !self.injection.is_for(function, payload.unwrap_or_default()) {
            return None;
        }
        let dice = self.strike()?;
        let moment = |within: Duration| within.mul_f64(dice);
        Some(match crash {
            Crash::KilledInInit(within) => Crash::KilledInInit(moment(within)),
            Crash::Killed(within) => Crash::Killed(moment(within)),
            Crash::Hung(within) => Crash::Hung(moment(within)),
            Crash::Garbage | Crash::KilledEvery(_) => crash,
        })
    }

    /// Decides whether it strikes this time; if so, returns a number from 0 to 1 for any other choice. Two numbers are drawn
    /// either way, so that each event has its own.
    fn strike(&mut self) -> Option<f64> {
        let (fate, dice) = (self.chance.f64(), self.chance.f64());
        let left = self.injection.times.is_none_or(|most| self.strikes < most);
        (fate < self.injection.rate && left).then(|| {
            self.strikes += 1;
            dice
        })
    }
}

/// Picks an index below `count`, from a number between 0 and 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
pub(super) fn scaled(count: usize, dice: f64) -> usize {
    (dice * count as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call = Call {
        caller: "F",
        operation: "SendMessage",
        body: b"{\"a\":1}",
    };

    fn cut_off(edit: impl FnOnce(&mut Injection)) -> Injection {
        let mut injection = Injection::new(Kind::Call(Fault::Unanswered));
        edit(&mut injection);
        injection
    }

    #[test]
    fn a_seed_repeats_the_fates_whatever_else_comes_between() {
        let fates = |seed, others: bool| -> Vec<bool> {
            let half = cut_off(|i| (i.rate, i.operation) = (0.5, Some("SendMessage".to_owned())));
            let mut injected = Injected::new(half, seed);
            let fate = |_| {
                let other = Call {
                    operation: "PutItem",
                    ..CALL
                };
                assert!(!others || injected.call(&other).is_none());
                injected.call(&CALL).is_some()
            };
            (0..64).map(fate).collect()
        };
        assert_eq!(fates(1, false), fates(1, true));
        assert_ne!(fates(1, false), fates(2, false));
        let hits = fates(1, false).into_iter().filter(|hit| *hit).count();
        assert!((16..48).contains(&hits), "{hits} of 64");
    }

    #[test]
    fn an_injection_strikes_only_what_it_describes() {
        let text = |text: &str| Some(text.to_owned());
        for (expected, injection) in [
            (true, cut_off(|_| ())),
            (true, cut_off(|i| i.function = text("F"))),
            (false, cut_off(|i| i.function = text("G"))),
            (true, cut_off(|i| i.operation = text("SendMessage"))),
            (false, cut_off(|i| i.operation = text("PutItem"))),
            (true, cut_off(|i| i.containing = text("\"a\""))),
            (false, cut_off(|i| i.containing = text("\"b\""))),
            (true, cut_off(|i| i.larger_than = Some(6))),
            (false, cut_off(|i| i.larger_than = Some(7))),
            (false, cut_off(|i| i.rate = 0.0)),
            (false, cut_off(|i| i.times = Some(0))),
        ] {
            let hit = Injected::new(injection.clone(), 1).call(&CALL).is_some();
            assert_eq!(hit, expected, "{injection:?}");
        }
    }

    #[test]
    fn a_cancelled_transaction_has_a_reason_for_each_action_and_blames_one() {
        let conflict = Injection::new(Kind::Cancel("TransactionConflict".to_owned()));
        let mut injected = Injected::new(conflict, 1);
        let transaction = Call {
            operation: "TransactWriteItems",
            body: br#"{"TransactItems":[{"Put":{}},{"Put":{}},{"Update":{}}]}"#,
            ..CALL
        };
        let mut blamed = [0; 3];
        for _ in 0..60 {
            let Some(Fault::Refuse { body, .. }) = injected.call(&transaction) else {
                panic!("not refused")
            };
            let reasons = body["CancellationReasons"].as_array().expect("a list");
            let codes: Vec<_> = reasons.iter().map(|reason| &reason["Code"]).collect();
            assert_eq!(codes.len(), 3);
            for (count, code) in blamed.iter_mut().zip(codes) {
                *count += usize::from(code == "TransactionConflict");
            }
        }
        assert_eq!(blamed.iter().sum::<usize>(), 60);
        assert!(blamed.iter().all(|count| *count > 0), "{blamed:?}");
        // A call that isn't a transaction has no reasons.
        assert_eq!(injected.call(&CALL), None);
    }

    #[test]
    fn a_batch_is_done_but_for_one_entry_by_its_id_or_its_place() {
        let check = |body: &str, names: [&str; 2]| {
            let mut injected = Injected::new(Injection::new(Kind::Part("Code".to_owned())), 1);
            let call = Call {
                body: body.as_bytes(),
                ..CALL
            };
            let fault = |name: &str| Fault::Partial {
                entries: vec![name.to_owned()],
                code: Some("Code".to_owned()),
            };
            let met: Vec<_> = (0..40).filter_map(|_| injected.call(&call)).collect();
            assert_eq!(met.len(), 40);
            for name in names {
                assert!(met.contains(&fault(name)), "{name}: {met:?}");
            }
        };
        check(
            r#"{"Entries":[{"Id":"a"},{"Id":"b","Delay":1}]}"#,
            ["a", "b"],
        );
        check(r#"{"Entries":[{"Source":"s"},{"Source":"s"}]}"#, ["0", "1"]);
        let mut injected = Injected::new(Injection::new(Kind::Part("Code".to_owned())), 1);
        assert_eq!(injected.call(&CALL), None);
    }
}
