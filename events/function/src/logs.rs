//! Logs JSON lines.

use anyhow::Result;
use std::{
    env, io,
    panic::{self, PanicHookInfo},
    process::ExitCode,
};
use tracing::Subscriber;
use tracing_subscriber::{
    filter::{LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Logs JSON lines with the time, each with the request's id, and runs the function to its end. Logs why it could not start.
pub fn main(function: impl FnOnce() -> Result<()>) -> ExitCode {
    logs(io::stdout, level_of(&log_level())).init();
    panic::set_hook(Box::new(log_panic));
    let Err(error) = function() else {
        return ExitCode::SUCCESS;
    };
    tracing::error!(error = format!("{error:#}"), "the function could not start");
    ExitCode::FAILURE
}

/// Reads the level that the function's logs are set to, as Lambda writes it; empty if unset.
pub fn log_level() -> String {
    env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default()
}

/// Returns the least severe level that is logged. Nothing is more severe than ERROR here, so FATAL leaves that.
pub fn level_of(level: &str) -> LevelFilter {
    match &*level.to_ascii_uppercase() {
        "FATAL" => LevelFilter::ERROR,
        "" => LevelFilter::INFO,
        level => level.parse().unwrap_or(LevelFilter::INFO),
    }
}

/// Logs a panic as one line. It says where, and not the panic's message, which may quote what a client sent.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, "the function panicked");
}

/// Writes logs to `to`, from a level. TRACE counts as DEBUG: at TRACE the SDK and the runtime log whole
/// requests, with all that clients sent.
pub fn logs<W>(to: W, level: LevelFilter) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        // The runtime's span has the request's id, and is INFO: without it a warning has none.
        .with_max_level(level.clamp(LevelFilter::INFO, LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
        .with(filter_fn(move |line| {
            line.is_span() || *line.level() <= level
        }))
}

#[cfg(test)]
mod tests;
