//! What the spike is to show, and whether it does.

use std::fmt::{self, Display};

use super::{Options, figures::Figures, report::ms, run::Run};

/// The goals for the design with the queue, beside what was found.
#[derive(Debug)]
pub struct Goals<'a> {
    options: &'a Options,
    run: &'a Run,
    figures: &'a Figures,
}

impl<'a> Goals<'a> {
    /// The goals for a run with the queue.
    pub fn new(options: &'a Options, run: &'a Run, figures: &'a Figures) -> Self {
        Self {
            options,
            run,
            figures,
        }
    }
}

impl Display for Goals<'_> {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            options,
            run,
            figures,
        } = self;
        writeln!(f, "| goal | found | met |")?;
        writeln!(f, "|---|---|---|")?;
        let mut goal = |what: &str, found: String, met: bool| {
            writeln!(
                f,
                "| {what} | {found} | {} |",
                if met { "yes" } else { "**no**" }
            )
        };
        let overrun = f64::from(options.rate) / figures.capacity;
        goal(
            "five times capacity",
            format!("{overrun:.1} times"),
            overrun >= 5.0,
        )?;
        let (calm, spike) = (figures.calm.quantile(0.99), figures.spike.quantile(0.99));
        let slower = spike.as_secs_f64() / calm.as_secs_f64().max(f64::EPSILON);
        let found = format!("{} against {}: {slower:.2}", ms(spike), ms(calm));
        goal("p99 at most twice the calm's", found, slower <= 2.0)?;
        let refused: usize = figures.refused.values().sum();
        goal(
            "no answer but 202",
            format!("{refused} others"),
            refused == 0,
        )?;
        let vain = figures.in_vain();
        goal(
            "at most 5% of attempts in vain",
            format!("{:.1}%", 100.0 * vain),
            vain <= 0.05,
        )?;
        let rate = figures.rate / figures.capacity;
        goal(
            "written at 0.95 of what is possible",
            format!("{rate:.3}"),
            rate >= 0.95,
        )?;
        let ideal = figures.backlog as f64 / figures.capacity;
        let drain = figures.drain.as_secs_f64() / ideal.max(f64::EPSILON);
        goal(
            "drained within 5% of backlog ÷ capacity",
            format!("{drain:.3}"),
            (0.95..=1.05).contains(&drain),
        )?;
        let (lost, wrong) = (run.books.lost, run.books.doubled + run.books.oversold);
        goal(
            "0 lost, 0 doubled",
            format!("{lost} and {wrong}"),
            lost == 0 && wrong == 0,
        )
    }
}
