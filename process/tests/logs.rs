//! A panic's line in the log.

use process::config::{log_panic, logs};
use std::{
    io,
    panic::{catch_unwind, set_hook},
    sync::Mutex,
};
use tracing::subscriber::with_default;
use tracing_subscriber::filter::LevelFilter;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock()
            .expect("no panic in here")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_one_line_that_says_where_and_quotes_nobody() -> Result<(), std::string::FromUtf8Error>
{
    set_hook(Box::new(log_panic));
    let panicked = with_default(logs(|| Log, LevelFilter::INFO), || {
        catch_unwind(|| panic!("private\nof {}", "a client"))
    });
    drop(std::panic::take_hook());
    assert!(panicked.is_err());
    let log = String::from_utf8(LOG.lock().expect("no panic in here").clone())?;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("\"panicked\"") && log.contains("tests/logs.rs:"),
        "{log}"
    );
    assert!(!log.contains("client"), "{log}");
    Ok(())
}
