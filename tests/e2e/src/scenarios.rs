//! The scenarios, by subject.

mod accepting;
mod bad_requests;
mod batch;
mod bus_faults;
mod bytes;
mod conflicts;
mod crashes;
mod dead_letters;
mod deliveries;
mod description;
mod edge;
mod failures;
mod keeping;
mod keys;
mod levelling;
mod limits;
mod load;
mod metrics;
mod outcomes;
mod queue;
mod redelivery;
mod retries;
mod sends;
mod stock;
mod storm;
mod waiting;

use crate::{need::Need, stack::Stack};
use anyhow::Result;
use std::{pin::Pin, sync::Arc};

/// A fact about a stack.
pub struct Scenario {
    /// The fact.
    pub name: String,
    /// The capabilities that it needs.
    pub needs: &'static [Need],
    /// The function that shows it.
    pub run: Box<dyn Fn(Arc<Stack>) -> Run + Send>,
}

/// A running scenario.
pub type Run = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Every scenario.
pub fn all() -> Vec<Scenario> {
    let files = [
        // First, because it runs alone: later it would wait for all others, and they for it.
        ("storm", storm::all()),
        // These wait longest, and take turns with the dead-letter queue.
        ("failures", failures::all()),
        ("dead_letters", dead_letters::all()),
        ("outcomes", outcomes::all()),
        ("accepting", accepting::all()),
        ("bad_requests", bad_requests::all()),
        ("batch", batch::all()),
        ("keys", keys::all()),
        ("keeping", keeping::all()),
        ("edge", edge::all()),
        ("bytes", bytes::all()),
        ("description", description::all()),
        ("waiting", waiting::all()),
        ("stock", stock::all()),
        ("redelivery", redelivery::all()),
        ("bus_faults", bus_faults::all()),
        ("conflicts", conflicts::all()),
        ("retries", retries::all()),
        ("load", load::all()),
        ("levelling", levelling::all()),
        ("limits", limits::all()),
        ("metrics", metrics::all()),
        ("sends", sends::all()),
        ("deliveries", deliveries::all()),
        ("crashes", crashes::all()),
        ("queue", queue::all()),
    ];
    let named = files.into_iter().flat_map(|(file, scenarios)| {
        scenarios.into_iter().map(move |scenario| Scenario {
            name: format!("{file}::{}", scenario.name),
            ..scenario
        })
    });
    named.collect()
}

/// Lists a file's scenarios, each with its needs.
macro_rules! scenarios {
    ($($name:ident [$($need:ident)*])*) => {
        pub fn all() -> Vec<crate::scenarios::Scenario> {
            vec![$(crate::scenarios::Scenario {
                name: stringify!($name).to_owned(),
                needs: &[$(crate::need::Need::$need),*],
                run: Box::new(|stack| Box::pin($name(stack))),
            }),*]
        }
    };
}
pub(crate) use scenarios;
