//! Prints the tables.

use super::{
    Options,
    figures::{Figures, Polls},
    run::Run,
    series::Series,
};
use std::{
    fmt::{self, Display},
    time::Duration,
};

const LINES: usize = 24;

/// Prints the figures of each run as a Markdown table, and the course of each run.
#[derive(Debug)]
pub struct Report<'a> {
    options: &'a Options,
    runs: &'a [Run],
    figures: &'a [Figures],
}

impl<'a> Report<'a> {
    pub fn new(options: &'a Options, runs: &'a [Run], figures: &'a [Figures]) -> Self {
        Self {
            options,
            runs,
            figures,
        }
    }

    fn row(
        &self,
        f: &mut fmt::Formatter,
        name: &str,
        cell: impl Fn(&Run, &Figures) -> String,
    ) -> fmt::Result {
        write!(f, "| {name} |")?;
        for (run, figures) in self.runs.iter().zip(self.figures) {
            write!(f, " {} |", cell(run, figures))?;
        }
        writeln!(f)
    }
}

impl Report<'_> {
    fn polls(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let row = |f: &mut fmt::Formatter, name: &str, cell: &dyn Fn(&Polls) -> String| {
            self.row(f, name, |_, figures| {
                figures
                    .polls
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), cell)
            })
        };
        row(f, "GETs an order", &|polls| {
            format!("{:.2}", polls.an_order)
        })?;
        row(f, "most GETs in a second, most POSTs", &|polls| {
            format!("{}, {}", polls.most, polls.most_orders)
        })?;
        row(f, "GETs without a status", &|polls| {
            polls.failed.to_string()
        })?;
        row(f, "client knows after the row: p50, p99", &|polls| {
            [0.5, 0.99]
                .map(|share| ms(polls.late.quantile(share)))
                .join(", ")
        })?;
        row(
            f,
            "the same ÷ the order's wait, of those over 10 s: p50, p90",
            &|polls| {
                let share = |share| format!("{:.2}", polls.share.quantile(share).as_secs_f64());
                [0.5, 0.9].map(share).join(", ")
            },
        )?;
        row(
            f,
            "client knows after it sent, in the calm: p50, p99",
            &|polls| {
                [0.5, 0.99]
                    .map(|share| ms(polls.calm.quantile(share)))
                    .join(", ")
            },
        )
    }
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "\n{}\n", self.options)?;
        self.row(f, "", |run, _| run.name.to_owned())?;
        self.row(f, "---", |_, _| "---".to_owned())?;
        self.row(f, "accepted", |_, figures| figures.accepted.to_string())?;
        self.row(f, "refused", |_, figures| {
            let refused = figures
                .refused
                .iter()
                .map(|(kind, count)| format!("{count} × {kind}"));
            let refused: Vec<_> = refused.collect();
            if refused.is_empty() {
                "none".to_owned()
            } else {
                refused.join(", ")
            }
        })?;
        self.row(f, "response times in the calm: p50, p99", |_, figures| {
            format!(
                "{}, {}",
                ms(figures.calm.quantile(0.5)),
                ms(figures.calm.quantile(0.99))
            )
        })?;
        self.row(f, "in the spike: p50, p99, p99.9, max", |_, figures| {
            [0.5, 0.99, 0.999, 1.0]
                .map(|share| ms(figures.spike.quantile(share)))
                .join(", ")
        })?;
        if self.options.target.is_none() {
            self.row(
                f,
                "attempts to write: taken, throttled, in conflict",
                |_, figures| {
                    let Figures {
                        taken,
                        throttled,
                        conflicts,
                        ..
                    } = figures;
                    format!(
                        "{taken}, {throttled}, {conflicts} ({:.1}% in vain)",
                        100.0 * figures.in_vain()
                    )
                },
            )?;
            self.row(f, "items written, write units", |_, figures| {
                format!("{}, {}", figures.items, figures.units)
            })?;
            self.row(f, "write units an order", |_, figures| {
                #[expect(clippy::cast_precision_loss)]
                let units = figures.units as f64 / figures.written.max(1) as f64;
                format!("{units:.2}")
            })?;
            self.row(f, "orders a second: written, possible", |_, figures| {
                format!("{:.0}, {:.0}", figures.rate, figures.capacity)
            })?;
        }
        self.row(f, "most orders waiting", |_, figures| {
            figures.peak_waiting.to_string()
        })?;
        if self.options.target.is_some() {
            self.row(f, "drained after the spike", |_, figures| {
                format!("{:.1} s", figures.drain.as_secs_f64())
            })?;
            self.row(f, "without an outcome, of those asked for", |run, _| {
                run.reconciliation.lost.to_string()
            })?;
        } else {
            self.row(
                f,
                "drained after the spike, backlog ÷ capacity",
                |_, figures| {
                    #[expect(clippy::cast_precision_loss)]
                    let ideal = figures.backlog as f64 / figures.capacity;
                    format!("{:.1} s, {ideal:.1} s", figures.drain.as_secs_f64())
                },
            )?;
            self.row(f, "orders lost", |run, _| {
                run.reconciliation.lost.to_string()
            })?;
            self.row(f, "pieces taken twice, sold twice", |run, _| {
                format!(
                    "{}, {}",
                    run.reconciliation.doubled, run.reconciliation.oversold
                )
            })?;
            self.row(f, "written, but the client got no success", |run, _| {
                run.reconciliation.unknown.to_string()
            })?;
        }
        if self.figures.iter().any(|figures| figures.polls.is_some()) {
            self.polls(f)?;
        }
        writeln!(f)?;
        for run in self.runs {
            writeln!(f, "{}, while orders were sent: {}  ", run.name, run.machine)?;
        }
        self.runs.iter().try_for_each(|run| timeline(f, run))
    }
}

/// Prints the course of a run, one line for each few seconds.
fn timeline(f: &mut fmt::Formatter, run: &Run) -> fmt::Result {
    writeln!(f, "\n{}, a second each:\n", run.name)?;
    writeln!(
        f,
        "| second | orders due | written | write units | throttled, in conflict | asked for | waiting | p99 |"
    )?;
    writeln!(f, "|---|---|---|---|---|---|---|---|")?;
    let series = Series::of(run);
    let step = series.seconds.len().div_ceil(LINES).max(1);
    for (second, seen) in series.seconds.iter().enumerate().step_by(step) {
        writeln!(
            f,
            "| {second} | {} | {} | {} | {} | {} | {} | {} |",
            seen.due,
            seen.written,
            seen.units,
            seen.in_vain,
            seen.asked,
            seen.waiting,
            ms(seen.p99)
        )?;
    }
    Ok(())
}

/// Milliseconds, with as many digits as matter.
pub fn ms(time: Duration) -> String {
    let ms = 1000.0 * time.as_secs_f64();
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}
