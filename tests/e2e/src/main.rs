#![doc = include_str!("../README.md")]
//!
//! # Layout
//! - [`stack`]: the stack under test. At the end its tables and queues are reconciled with what clients read.
//!   [`watch`]: records the functions' calls. [`permissions`]: compares the roles with them.
//! - [`api`]: an HTTP client; [`reply`]: an answer. [`description`]: holds its requests and answers to the OpenAPI document.
//!   [`orders`]: orders to send. [`aws`], [`names`]: the services behind the API.
//! - [`listener`]: receives the outcomes that the stack publishes.
//! - [`tool`]: runs the operator's tool for dead letters. [`patience`]: waits for a condition.
//! - [`scenarios`]: the facts. [`need`]: what they need of a stack. [`runner`]: runs and counts them.
//!
//! # Against another stack
//! `ORDERS_API_URL` (with the stage) and `ORDERS_API_KEY` name it; without them a `local` is started. Scenarios that look
//! behind the API also need AWS's own variables for region, credentials and endpoint, and: `ORDERS_QUEUE_URL` and
//! `ORDERS_DEAD_LETTER_QUEUE_URL`; `ORDERS_TABLE` and `ARTICLES_TABLE`; `INGEST_FUNCTION`, `STATUS_FUNCTION` and
//! `PROCESS_FUNCTION`; `OUTCOME_BUS` and `OUTCOME_SOURCE`, if it publishes outcomes. Scenarios that a stack can't run are
//! reported as ignored, with the capability that they need.

mod api;
mod aws;
mod description;
mod listener;
mod names;
mod need;
mod orders;
mod patience;
mod permissions;
mod reply;
mod runner;
mod scenarios;
mod sqs_rules;
mod stack;
mod tool;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::run().unwrap_or_else(|error| {
        eprintln!("error: {error:?}");
        ExitCode::FAILURE
    })
}
