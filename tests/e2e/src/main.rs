//! Scenarios as facts, against `local` (the default), LocalStack, or a deployed stack.
//!
//! # Layout
//! - [`stack`]: what the scenarios run against, and what it can do; its books are audited at the end.
//!   [`watch`]: what its functions are seen to call.
//! - [`api`]: an HTTP client. [`orders`]: orders to send. [`aws`], [`names`]: what stands behind the API.
//! - [`scenarios`]: the facts.
//!
//! # Against another stack
//! `ORDERS_API_URL` (with the stage) and `ORDERS_API_KEY` name it; without them a `local` is started. What only the
//! queue, the tables and the functions can show needs, besides AWS's own variables for region, credentials and
//! endpoint: `ORDERS_QUEUE_URL` and `ORDERS_DEAD_LETTER_QUEUE_URL`; `ORDERS_TABLE` and `ARTICLES_TABLE`;
//! `INGEST_FUNCTION`, `STATUS_FUNCTION` and `PROCESS_FUNCTION`. What a stack lacks is counted as ignored.

mod api;
mod aws;
mod names;
mod orders;
mod scenarios;
mod sqs_rules;
mod stack;
mod watch;

use libtest_mimic::{Arguments, Failed, Trial};
use stack::Stack;
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => return fail(&error.into()),
    };
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(&runtime, None)).exit_code();
    }
    let stack = match runtime.block_on(Stack::start()) {
        Ok(stack) => Arc::new(stack),
        Err(error) => return fail(&error),
    };
    arguments.test_threads = arguments.test_threads.or(Some(stack.at_a_time()));
    let conclusion = libtest_mimic::run(&arguments, trials(&runtime, Some(&stack)));
    let audit = runtime.block_on(stack.audit());
    runtime.block_on(stack.stop());
    match audit {
        Err(error) if !conclusion.has_failed() => {
            fail(&error.context("the stack's books don't add up"))
        }
        _ => conclusion.exit_code(),
    }
}

/// Every scenario; those that the stack cannot run are ignored, and say what they need.
fn trials(runtime: &Arc<tokio::runtime::Runtime>, stack: Option<&Arc<Stack>>) -> Vec<Trial> {
    let trial = |scenario: scenarios::Scenario| {
        let missing = stack.and_then(|stack| scenario.needs.iter().find(|need| !stack.has(**need)));
        let (runtime, stack) = (runtime.clone(), stack.cloned());
        let trial = Trial::test(scenario.name, move || {
            let stack = stack.ok_or("scenarios that are listed don't run")?;
            runtime
                .block_on((scenario.run)(stack))
                .map_err(|error| Failed::from(format!("{error:?}")))
        });
        match missing {
            Some(need) => trial
                .with_kind(format!("needs {need:?}"))
                .with_ignored_flag(true),
            None => trial,
        }
    };
    scenarios::all().into_iter().map(trial).collect()
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:?}");
    ExitCode::FAILURE
}
