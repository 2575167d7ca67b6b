//! Levels, the request's id, and the line of a panic.

use super::*;
use std::panic::catch_unwind;

#[test]
fn a_level_is_as_lambda_writes_it() {
    let check = |text: &str, expected| assert_eq!(level_of(text), expected, "{text}");
    check("", LevelFilter::INFO);
    check("INFO", LevelFilter::INFO);
    check("warn", LevelFilter::WARN);
    check("ERROR", LevelFilter::ERROR);
    check("FATAL", LevelFilter::ERROR);
    check("fatal", LevelFilter::ERROR);
    check("DEBUG", LevelFilter::DEBUG);
    check("TRACE", LevelFilter::TRACE);
    check("LOUD", LevelFilter::INFO);
}

#[test]
fn a_line_has_its_requests_id_at_every_level() -> Result<()> {
    for (level, lines) in [
        ("DEBUG", 4),
        ("INFO", 3),
        ("WARN", 2),
        ("ERROR", 1),
        ("FATAL", 1),
    ] {
        let text = logged(level_of(level), || {
            // Opens the span as lambda_runtime does.
            let span = tracing::info_span!("Lambda runtime invoke", requestId = "r-1");
            span.in_scope(|| {
                tracing::error!("an error");
                tracing::warn!("a warning");
                tracing::info!("a fact");
                tracing::debug!("a detail");
            });
        });
        assert_eq!(text.lines().count(), lines, "{level}: {text}");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            assert_eq!(line["span"]["requestId"], "r-1", "{level}: {line}");
        }
    }
    Ok(())
}

#[test]
fn a_panic_is_one_line_that_says_where_and_quotes_no_client() {
    let log = logged(LevelFilter::INFO, || {
        panic::set_hook(Box::new(log_panic));
        let panicked = catch_unwind(|| panic!("private\nof {}", "a client"));
        drop(panic::take_hook());
        assert!(panicked.is_err());
    });
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("\"the function panicked\"") && log.contains("logs/tests.rs:"),
        "{log}"
    );
    assert!(!log.contains("client"), "{log}");
}

/// Returns what `meanwhile` logs.
fn logged(level: LevelFilter, meanwhile: impl FnOnce()) -> String {
    let log = kit::Log::default();
    let _guard = log.listen(level);
    meanwhile();
    log.take()
}
