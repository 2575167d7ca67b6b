//! Variables and their units, silent services, levels and ids of logs.

use super::*;
use events::Client;
use std::sync::{Arc, Mutex};
use tracing::subscriber::with_default;

#[test]
fn rows_are_kept_for_days() {
    let hours = |text| {
        days(text)
            .ok()
            .map(|keep| keep.map(|keep| keep.as_secs() / 3600))
    };
    let check = |text, expected| assert_eq!(hours(text), expected, "{text}");
    check("0", Some(None));
    check("1", Some(Some(24)));
    check("400", Some(Some(9600)));
    for text in ["", "-1", "1.5", "30d", "4294967296"] {
        check(text, None);
    }
}

#[test]
fn ids_of_the_next_secret_and_of_the_previous_one_are_recognised() -> Result<()> {
    let secret = |name: &str| format!("the secret that {name} holds");
    let names = [
        "ORDER_ID_SECRET",
        "ORDER_ID_SECRET_NEXT",
        "ORDER_ID_SECRET_PREVIOUS",
    ];
    let client = Client::anonymous();
    // The variables that are set, and the secrets of the ids that are recognised: the same.
    for set in [&names[..], &names[..1], &names[..2], &[names[0], names[2]]] {
        let variable = |name: &str| Ok(set.contains(&name).then(|| secret(name)));
        let ids = ids_by(variable)?;
        for name in names {
            let id = OrderIds::new(Secret::new(secret(name))?, vec![]).fresh(&client, [7; 12]);
            let found = ids.recognise(&client, &id.to_string());
            assert_eq!(found, set.contains(&name).then_some(id), "{set:?} {name}");
        }
        let id = OrderIds::new(Secret::new(secret(names[0]))?, vec![]).fresh(&client, [7; 12]);
        assert_eq!(ids.fresh(&client, [7; 12]), id, "the first one signs");
    }
    assert!(ids_by(|name: &str| Ok((name != names[0]).then(|| secret(name)))).is_err());
    Ok(())
}

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
        let log = Arc::<Mutex<Vec<u8>>>::default();
        let to = log.clone();
        with_default(logs(move || Log(to.clone()), level_of(level)), || {
            // As lambda_runtime opens it.
            let span = tracing::info_span!("Lambda runtime invoke", requestId = "r-1");
            span.in_scope(|| {
                tracing::error!("an error");
                tracing::warn!("a warning");
                tracing::info!("a fact");
                tracing::debug!("a detail");
            });
        });
        let text = String::from_utf8(log.lock().expect("no panic in here").clone())?;
        assert_eq!(text.lines().count(), lines, "{level}: {text}");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            assert_eq!(line["span"]["requestId"], "r-1", "{level}: {line}");
        }
    }
    Ok(())
}

/// A log in memory.
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no panic in here")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
