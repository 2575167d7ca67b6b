//! Compares the results with their goals. Each goal is a count, or a ratio to a rival in the same run: absolute times depend
//! on the machine's host.

use super::{
    contestant::Role::{self, Ingest, Process, Status},
    measure::{Measure, Results},
    ours, report,
    rivals::{NODE, PYTHON, TUTORIAL},
    stats::Summary,
};

#[derive(Debug, Clone, Copy)]
struct Goal {
    role: Role,
    measure: Measure,
    bound: Bound,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    /// At most this value.
    AtMost(f64),
    /// At most this fraction of a rival's value, possibly of another measure.
    PartOf(f64, &'static str, Measure),
}

use Bound::{AtMost, PartOf};
use Measure::{
    BatchWall, Memory, QuotaFirstWall, StartCpu, TenCpu, Transactions, WarmCpu, WriteUnits,
};

const fn goal(role: Role, measure: Measure, bound: Bound) -> Goal {
    Goal {
        role,
        measure,
        bound,
    }
}

const GOALS: &[Goal] = &[
    goal(Ingest, StartCpu, PartOf(1.0 / 4.5, TUTORIAL, StartCpu)),
    goal(Ingest, StartCpu, PartOf(1.0 / 35.0, PYTHON, StartCpu)),
    goal(Ingest, StartCpu, PartOf(1.0 / 15.0, NODE, StartCpu)),
    goal(
        Ingest,
        QuotaFirstWall,
        PartOf(1.0 / 20.0, TUTORIAL, QuotaFirstWall),
    ),
    goal(
        Ingest,
        QuotaFirstWall,
        PartOf(1.0 / 30.0, PYTHON, QuotaFirstWall),
    ),
    goal(
        Ingest,
        QuotaFirstWall,
        PartOf(1.0 / 30.0, NODE, QuotaFirstWall),
    ),
    goal(Ingest, WarmCpu, PartOf(0.5, TUTORIAL, WarmCpu)),
    goal(Ingest, WarmCpu, PartOf(1.0 / 4.5, PYTHON, WarmCpu)),
    goal(Ingest, WarmCpu, PartOf(1.0 / 6.0, NODE, WarmCpu)),
    goal(Ingest, TenCpu, PartOf(1.0 / 12.0, TUTORIAL, WarmCpu)),
    goal(Ingest, Memory, PartOf(0.6, TUTORIAL, Memory)),
    goal(Process, WarmCpu, PartOf(1.0 / 8.0, TUTORIAL, WarmCpu)),
    goal(Process, WarmCpu, PartOf(1.0 / 15.0, PYTHON, WarmCpu)),
    goal(Process, BatchWall, PartOf(1.0 / 30.0, TUTORIAL, BatchWall)),
    goal(Process, Transactions, AtMost(1.0)),
    goal(Process, WriteUnits, AtMost(2.1)),
];

/// Makes the table of goals, each met or missed by a percentage.
pub fn table(results: &Results) -> String {
    let mut text = "### Goals\n\n".to_owned();
    let columns = ["goal", "found", ""].map(str::to_owned);
    text += &report::row("", columns.into_iter());
    text += &report::row(
        "---",
        ["---:", "---:", "---"].map(str::to_owned).into_iter(),
    );
    for goal in GOALS {
        let found = goal.found(results);
        let cells = [
            goal.says(),
            found.map_or_else(String::new, report::range),
            goal.verdict(found),
        ];
        let role = match goal.role {
            Ingest => "ingest",
            Status => "status",
            Process => "process",
        };
        text += &report::row(
            &format!("{role}: {}", goal.measure.label()),
            cells.into_iter(),
        );
    }
    text + "\n"
}

impl Goal {
    fn says(&self) -> String {
        match self.bound {
            AtMost(most) => format!("≤ {most}"),
            PartOf(part, rival, measure) => {
                let part = if part < 0.5 {
                    format!("1/{:.1}", 1.0 / part)
                } else {
                    part.to_string()
                };
                let of = if measure == self.measure {
                    String::new()
                } else {
                    format!("'s {}", measure.label())
                };
                format!("≤ {part} of {rival}{of}")
            }
        }
    }

    /// Returns our value, or the factor by which the rival's exceeds it.
    fn found(&self, results: &Results) -> Option<Summary> {
        let ours = (ours::NAME, self.measure);
        match self.bound {
            AtMost(_) => results.summary(self.role, ours.0, ours.1),
            PartOf(_, rival, measure) => results.ratio(self.role, ours, (rival, measure)),
        }
    }

    fn verdict(&self, found: Option<Summary>) -> String {
        let Some(found) = found else {
            return "not measured".to_owned();
        };
        let most = match self.bound {
            AtMost(most) => most,
            PartOf(part, ..) => part,
        };
        let over = found.median / most - 1.0;
        if over <= 0.0 {
            "met".to_owned()
        } else {
            format!("missed by {:.0}%", over * 100.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed_by_so_much() {
        let check = |bound, values: &[(&'static str, f64)], expected: &str| {
            let mut results = Results::default();
            for (name, value) in values {
                results.add(Ingest, name, vec![(WarmCpu, *value)]);
            }
            let goal = goal(Ingest, WarmCpu, bound);
            assert_eq!(goal.verdict(goal.found(&results)), expected);
        };
        check(AtMost(8.0), &[(ours::NAME, 8.0)], "met");
        check(AtMost(8.0), &[(ours::NAME, 10.0)], "missed by 25%");
        check(AtMost(8.0), &[], "not measured");
        let half = PartOf(0.5, PYTHON, WarmCpu);
        check(half, &[(ours::NAME, 1.0), (PYTHON, 2.0)], "met");
        check(half, &[(ours::NAME, 3.0), (PYTHON, 2.0)], "missed by 200%");
        check(half, &[(ours::NAME, 1.0)], "not measured");
    }
}
