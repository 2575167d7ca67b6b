//! Compares a run with its goals. Each goal is a count, or a ratio within the same run: absolute times depend on the machine's
//! host.

use super::{Options, figures::Figures, report::ms, run::Run};
use std::fmt::{self, Display};

/// The goals for the design with the queue, and its figures.
#[derive(Debug)]
pub struct Goals<'a> {
    options: &'a Options,
    run: &'a Run,
    figures: &'a Figures,
    synchronous: Option<&'a Figures>,
}

impl<'a> Goals<'a> {
    /// The goals for `run`, the run with the queue. `figures` has its figures, followed by those of the synchronous design if
    /// that was run.
    pub fn new(options: &'a Options, run: &'a Run, figures: &'a [Figures]) -> Self {
        Self {
            options,
            run,
            figures: &figures[0],
            synchronous: figures.get(1),
        }
    }
}

impl Display for Goals<'_> {
    #[expect(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            options,
            run,
            figures,
            synchronous,
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
        if let Some(synchronous) = synchronous {
            let (ours, theirs) = (
                figures.spike.quantile(0.99),
                synchronous.spike.quantile(0.99),
            );
            let share = ours.as_secs_f64() / theirs.as_secs_f64().max(f64::EPSILON);
            goal(
                "p99 in the spike at most a tenth of the synchronous design's",
                format!("{} against {}: {share:.3}", ms(ours), ms(theirs)),
                share <= 0.1,
            )?;
        }
        let refused: usize = figures.refused.values().sum();
        goal(
            "no answer but 202",
            format!("{refused} others"),
            refused == 0,
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
        if let Some(polls) = &figures.polls {
            let (asked, share) = (polls.an_order, |part| {
                polls.share.quantile(part).as_secs_f64()
            });
            goal(
                "at most three GETs an order",
                format!("{asked:.2}"),
                asked <= 3.0,
            )?;
            let most = polls.most as f64 / polls.most_orders.max(1) as f64;
            goal(
                "at most 1.5 GETs a second for each POST",
                format!("{most:.2}"),
                most <= 1.5,
            )?;
            goal(
                "the client knows later by at most 0.25 of the wait (p50), 0.6 (p90)",
                format!("{:.2}, {:.2}", share(0.5), share(0.9)),
                share(0.5) <= 0.25 && share(0.9) <= 0.6,
            )?;
        }
        let (lost, wrong) = (
            run.reconciliation.lost,
            run.reconciliation.doubled + run.reconciliation.oversold,
        );
        goal(
            "0 lost, 0 doubled",
            format!("{lost} and {wrong}"),
            lost == 0 && wrong == 0,
        )
    }
}
