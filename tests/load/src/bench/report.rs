//! Prints the results as Markdown.

use super::{
    contestant::Role,
    measure::{Measure, Results},
    ours,
    stats::Summary,
};

/// Makes the tables of both functions, with the contestants as columns, ours first.
pub fn tables(results: &Results, names: &[&'static str]) -> String {
    let mut text = String::new();
    for (role, title) in [
        (Role::Ingest, "`ingest`"),
        (Role::Status, "`status`"),
        (Role::Process, "`process`, in batches of 50"),
    ] {
        let columns: Vec<_> = names
            .iter()
            .copied()
            .filter(|name| results.summary(role, name, Measure::Size).is_some())
            .collect();
        if columns.is_empty() {
            continue;
        }
        text += &heading(&format!(
            "{title}: medians, and interquartile ranges over the rounds"
        ));
        text += &table("", &columns, |measure, name| {
            results.summary(role, name, measure).map(range)
        });
        let rivals: Vec<_> = columns
            .iter()
            .copied()
            .filter(|name| *name != ours::NAME)
            .collect();
        if rivals.len() < columns.len() && !rivals.is_empty() {
            text += &heading(&format!(
                "{title}: how many times as much as ours, paired within rounds"
            ));
            text += &table("", &rivals, |measure, name| {
                let ratio = results.ratio(role, (name, measure), (ours::NAME, measure));
                ratio.filter(|ratio| ratio.median.is_finite()).map(range)
            });
        }
    }
    text
}

/// Makes a row for each measure that any of the columns has.
fn table(
    corner: &str,
    columns: &[&'static str],
    cell: impl Fn(Measure, &'static str) -> Option<String>,
) -> String {
    let mut text = row(corner, columns.iter().map(|name| (*name).to_owned()));
    text += &row("---", columns.iter().map(|_| "---:".to_owned()));
    for measure in Measure::ALL {
        let cells: Vec<_> = columns.iter().map(|name| cell(*measure, name)).collect();
        if cells.iter().any(Option::is_some) {
            text += &row(
                measure.label(),
                cells.into_iter().map(Option::unwrap_or_default),
            );
        }
    }
    text + "\n"
}

/// The heading of a table.
pub fn heading(title: &str) -> String {
    format!("### {title}\n\n")
}

/// A row of a Markdown table.
pub fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = std::iter::once(first.to_owned()).chain(cells).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Formats a median with its interquartile range, if the range is wide enough to show.
pub fn range(summary: Summary) -> String {
    let [median, lower, upper] = [summary.median, summary.lower, summary.upper].map(number);
    if lower == upper {
        median
    } else {
        format!("{median} ({lower} to {upper})")
    }
}

/// Formats three digits, or all digits before the point.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        below if below < 0.1 => 4,
        below if below < 1.0 => 3,
        below if below < 10.0 => 2,
        below if below < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits() {
        let check = |value, expected: &str| assert_eq!(number(value), expected);
        check(0.0, "0");
        check(0.012_34, "0.0123");
        check(0.25, "0.250");
        check(2.04, "2.04");
        check(45.67, "45.7");
        check(1290.4, "1290");
    }

    #[test]
    fn a_range_is_left_out_where_it_is_none() {
        let summary = |lower, upper| Summary {
            median: 2.0,
            lower,
            upper,
        };
        assert_eq!(range(summary(2.0, 2.0)), "2.00");
        assert_eq!(range(summary(1.0, 3.0)), "2.00 (1.00 to 3.00)");
    }
}
