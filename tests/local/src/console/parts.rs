//! The parts of the page that are updated while it is open, and how they format numbers.

pub mod charts;
pub mod dead_letters;
pub mod faults;
pub mod order;
pub mod orders;
pub mod spike;
pub mod stock;
pub mod system;

use super::{Console, form::Form, html::Html};
use jiff::Timestamp;

/// Renders a part; the form is the page's query.
pub type Render = fn(&Console, &Form) -> Html;

/// Each part with the id of its element.
pub const LIVE: [(&str, Render); 9] = [
    ("live-wall", charts::wall),
    ("live-system", system::render),
    ("live-charts", charts::render),
    ("live-spike", spike::render),
    ("live-order", order::render),
    ("live-orders", orders::render),
    ("live-stock", stock::render),
    ("live-dead-letters", dead_letters::render),
    ("live-faults", faults::render),
];

/// Shown for an unknown number.
const UNKNOWN: &str = "–";

/// `12,345`
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev();
    let groups = grouped.map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// A number per second; below ten with a decimal.
pub fn rate(rate: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    match rate {
        0.0 => "0".to_owned(),
        rate if rate < 9.95 => format!("{rate:.1}"),
        rate => count(rate.round() as u64),
    }
}

/// A time in milliseconds.
pub fn time(ms: f64) -> String {
    match ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// The time between two moments.
pub fn between(from: Timestamp, to: Timestamp) -> String {
    time(1000.0 * to.duration_since(from).as_secs_f64().max(0.0))
}

/// A time of day, in UTC.
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0.0, 0.26, 9.9, 9.96, 1600.4].map(rate),
            ["0", "0.3", "9.9", "10", "1,600"]
        );
        let times = [0.12, 9.94, 9.96, 999.0, 1500.0].map(time);
        assert_eq!(times, ["0.1 ms", "9.9 ms", "10 ms", "999 ms", "1.5 s"]);
    }

    #[test]
    fn a_time_of_day_has_milliseconds_and_no_interval_is_negative() -> anyhow::Result<()> {
        let (early, late) = (
            "2026-11-27T04:05:06.007Z".parse()?,
            "2026-11-27T04:05:07.5Z".parse()?,
        );
        assert_eq!(clock(early), "04:05:06.007");
        assert_eq!(between(early, late), "1.5 s");
        assert_eq!(between(late, early), "0.0 ms");
        Ok(())
    }
}
