#![doc = include_str!("../README.md")]
//!
//! # Layout
//! - [`case`]: the settings of a run. [`orders`]: its orders.
//! - [`mod@run`]: runs a case. [`workers`]: the event source mapping, and Lambda with the real `Processor` in it.
//! - [`wire`]: HTTP below the SDK. [`request`]: the requests. [`table`], [`queue`], [`bus`]: the services. [`units`]: a write's
//!   write units.
//! - [`reconciliation`]: reconciles tables and queue at the end. [`trace`]: the events. [`shrink`]: shrinks a failing case.
//! - [`seeds`]: many runs. [`figures`]: the runs whose figures the README shows. [`clock`]: the time of day.
//! - [`cloudwatch`]: metrics, and when an alarm fires. [`alarms`]: the faults that alarms are for.
//! - [`waits`]: clients who wait for their outcomes, independent of everything else.

pub mod alarms;
pub mod answer;
pub mod bus;
pub mod case;
pub mod clock;
pub mod cloudwatch;
pub mod figures;
pub mod orders;
pub mod queue;
pub mod reconciliation;
pub mod request;
pub mod run;
pub mod seeds;
pub mod shrink;
pub mod table;
pub mod trace;
pub mod units;
pub mod waits;
pub mod wire;
pub mod workers;
