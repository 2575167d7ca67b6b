//! Serves EventBridge, as far as a system's own events need it: buses, and rules with event patterns that send to queues.
//!
//! # Layout
//! - `wire`: the AWS JSON 1.1 protocol; one arm for each operation
//! - `put`: `PutEvents`; `rules`: buses, rules and their targets; `pattern`: the patterns that a rule may have
//! - `error`: every refusal with its code
//!
//! State is kept in memory: after a restart there is the bus `default`, without a rule. Left out are schedules, targets other
//! than SQS queues, transformed input, archives, and retried deliveries.

mod error;
mod pattern;
mod put;
mod rules;
mod wire;

use crate::{
    sqs::Sqs,
    template::model::{ACCOUNT, REGION},
};
use rules::Bus;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The bus that every account has.
const DEFAULT: &str = "default";

/// The event buses of the account. Cheap to clone.
#[derive(Clone)]
pub struct EventBuses {
    sqs: Sqs,
    buses: Arc<Mutex<BTreeMap<String, Bus>>>,
}

impl EventBuses {
    /// Starts with the default bus. Its rules send to the queues of `sqs`.
    pub fn new(sqs: Sqs) -> Self {
        let buses = [(DEFAULT.to_owned(), Bus::default())];
        Self {
            sqs,
            buses: Arc::new(Mutex::new(buses.into())),
        }
    }

    fn buses(&self) -> MutexGuard<'_, BTreeMap<String, Bus>> {
        self.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bus that a request names by name or ARN, or by default.
fn bus_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or(DEFAULT);
    given
        .rsplit_once(":event-bus/")
        .map_or(given, |(_, name)| name)
}

fn arn(resource: &str) -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:{resource}")
}
