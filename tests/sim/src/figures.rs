//! The figures that the README shows. `cases` has the cases, by name.

mod cases;

use crate::{
    case::{Case, Outage},
    run::{Report, run},
};
pub use cases::{all, hour_at_any_time};
use std::{fmt, time::Duration};

/// A case with a name.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The figure's name.
    pub name: String,
    /// The case to run.
    pub case: Case,
}

/// The result of a figure.
#[derive(Debug)]
pub struct Measured {
    /// The figure's name.
    pub name: String,
    /// The run's report.
    pub report: Report,
    /// Orders per second, until the last one was settled.
    pub rate: f64,
    /// The write units that were used, as a share of those that the tables had in that time; `None`: they have no limit.
    pub share: Option<f64>,
    /// The time after an outage until orders were settled at nine tenths of the speed before it.
    pub recovery: Option<Duration>,
    /// The orders that were settled before the outage ended.
    pub before_end: usize,
    /// The time after an outage until the last order was settled.
    pub settled: Option<Duration>,
}

/// Runs a case and measures its figures.
pub fn measure(figure: &Figure) -> Measured {
    let report = run(&figure.case, false);
    let last = report
        .seen
        .settled
        .last()
        .map_or(Duration::ZERO, |(at, _)| *at);
    let settled: usize = report.seen.settled.iter().map(|(_, count)| count).sum();
    let share = figure.case.table.units.map(|limit| {
        let limit = f64::from(limit);
        let had = limit * (figure.case.table.burst + last).as_secs_f64();
        report.seen.units / had
    });
    let outage = figure.case.weather.outages.first();
    Measured {
        before_end: outage.map_or(0, |outage| {
            let settled = report.seen.settled.iter();
            let early = settled.filter(|(at, _)| *at < outage.until);
            early.map(|(_, count)| count).sum()
        }),
        name: figure.name.clone(),
        rate: count(settled) / last.as_secs_f64(),
        share,
        recovery: outage.and_then(|outage| recovery(&report, outage)),
        settled: outage.map(|outage| last.saturating_sub(outage.until)),
        report,
    }
}

/// The time after an outage until orders were settled at nine tenths of their speed in the seconds before it, in steps of 100
/// ms, averaged over a second.
fn recovery(report: &Report, outage: &Outage) -> Option<Duration> {
    let between = |from: Duration, until: Duration| {
        let settled = report.seen.settled.iter();
        settled
            .filter(|(at, _)| (from..until).contains(at))
            .map(|(_, count)| *count)
            .sum::<usize>()
    };
    let before = Duration::from_secs(3);
    let speed = count(between(outage.from.checked_sub(before)?, outage.from)) / 3.0;
    let second = Duration::from_secs(1);
    (0..20_000)
        .map(|step| Duration::from_millis(100) * step)
        .find(|after| {
            let from = outage.until + *after;
            count(between(from, from + second)) >= 0.9 * speed
        })
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Report {
            outcomes: (confirmed, rejected),
            dead,
            most_receives,
            seen,
            wrong,
            ..
        } = &self.report;
        write!(f, "{:<28} {:>6}", self.name, confirmed + rejected)?;
        write!(f, " {dead:>5} {most_receives:>9} {:>9.1}", self.rate)?;
        let seconds = |time: Option<Duration>| {
            time.map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64()))
        };
        let share = self
            .share
            .map_or("-".to_owned(), |share| format!("{share:.2}"));
        write!(
            f,
            " {share:>6} {:>9} {:>8}",
            seconds(self.recovery),
            seconds(self.settled)
        )?;
        write!(
            f,
            " {:>7} {:>9} {:>9}",
            seen.taken, seen.throttled, seen.conflicts
        )?;
        for wrong in wrong.iter().take(3) {
            write!(f, "  WRONG: {wrong}")?;
        }
        Ok(())
    }
}

/// The header of the columns that a [`Measured`] prints.
pub const HEADER: &str = "case                         orders  dead  receives  orders/s  share  recovery  settled   taken throttled conflicts";
