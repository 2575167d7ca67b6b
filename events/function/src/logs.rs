//! Logs JSON lines.

use anyhow::Result;
use std::{
    env, io,
    panic::{self, PanicHookInfo},
    process::ExitCode,
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, filter_fn},
    fmt::{
        self, FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter, format::Writer,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Sets up logging as JSON lines with the time and the request's id, and runs the function until it ends. If it could not
/// start, logs why.
pub fn main(function: impl FnOnce() -> Result<()>) -> ExitCode {
    logs(io::stdout, level_of(&log_level())).init();
    panic::set_hook(Box::new(log_panic));
    let Err(error) = function() else {
        return ExitCode::SUCCESS;
    };
    tracing::error!(error = format!("{error:#}"), "the function could not start");
    ExitCode::FAILURE
}

/// Returns the level that the function's logs are set to, as Lambda writes it; empty if unset.
pub fn log_level() -> String {
    env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default()
}

/// Returns the least severe level that is logged. FATAL logs ERROR too: nothing here is more severe.
pub fn level_of(level: &str) -> LevelFilter {
    match &*level.to_ascii_uppercase() {
        "FATAL" => LevelFilter::ERROR,
        "" => LevelFilter::INFO,
        level => level.parse().unwrap_or(LevelFilter::INFO),
    }
}

/// Logs a panic as one line: where it happened, but not its message, which may quote what a client sent.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, "the function panicked");
}

/// Writes logs of `level` and above to `to`. TRACE counts as DEBUG: at TRACE the SDK and the runtime log whole requests, with
/// everything that clients sent.
pub fn logs<W>(to: W, level: LevelFilter) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .map_event_format(WithSpan)
        // The runtime's span, at INFO, carries the request's id: below that level a warning would have none.
        .with_max_level(level.clamp(LevelFilter::INFO, LevelFilter::DEBUG))
        .with_writer(to)
        .finish()
        .with(filter_fn(move |line| {
            line.is_span() || *line.level() <= level
        }))
}

/// Appends the fields of the current span to a line, with the request's ids, as they were formatted when it was opened. The
/// format itself would parse them and write them again, at each line.
struct WithSpan<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithSpan<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let span = context.lookup_current();
        let extensions = span.as_ref().map(|span| span.extensions());
        let fields = extensions
            .as_ref()
            .and_then(|all| all.get::<FormattedFields<N>>());
        match (line.strip_suffix("}\n"), fields) {
            (Some(members), Some(fields)) => writeln!(writer, "{members},\"span\":{fields}}}"),
            _ => writer.write_str(&line),
        }
    }
}

#[cfg(any(test, feature = "kit"))]
pub mod kit;
#[cfg(test)]
mod tests;
