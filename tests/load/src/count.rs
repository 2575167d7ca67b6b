//! Counts the instructions of the functions, and compares them with those in a file of the tree.

use crate::bench::{
    ROOT,
    callgrind::{self, Count, Load},
    cloud::Cloud,
    contestant::{Contestant, Deployment, Role},
    ours,
};
use anyhow::{Context, ensure};
use clap::Args;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// How many times as many instructions as in the file a function may take.
const MOST: f64 = 1.01;

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Write the counts into the file, tests/load/instructions.csv
    #[arg(long)]
    record: bool,
    /// Keep callgrind's profiles in this folder, for `callgrind_annotate`
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
}

/// The counts of a file, by what was counted.
type Counts = BTreeMap<String, u64>;

/// Counts, prints a table on stdout, and fails if a function takes more instructions than in the file.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(
        callgrind::is_here().await,
        "valgrind cannot be run: install it"
    );
    let file = Path::new(ROOT).join("tests/load/instructions.csv");
    let compiler = compiler().await?;
    let cloud = Cloud::start().await?;
    let mut counts = Counts::new();
    for contestant in ours::build(&Deployment::read(&cloud)?).await? {
        eprintln!("counting the instructions of {:?}", contestant.role);
        counts.extend(count(&contestant, &cloud, options.profiles.as_deref()).await?);
    }
    if options.record {
        let lines = counts
            .iter()
            .map(|(what, count)| format!("{what},{count}\n"));
        return Ok(fs::write(
            file,
            lines.fold(format!("{compiler}\n"), |all, line| all + &line),
        )?);
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (recorded_by, recorded) = parse(&text)?;
    ensure!(
        recorded_by == compiler,
        "the file is by {recorded_by}, and this is {compiler}: record the counts of an unchanged tree first"
    );
    let more = more(&recorded, &counts);
    println!("counted | instructions | in the file");
    for (what, count) in &counts {
        println!(
            "{what} | {count} | {}",
            recorded.get(what).copied().unwrap_or_default()
        );
    }
    ensure!(
        more.is_empty(),
        "over {MOST} times the instructions in tests/load/instructions.csv: {}. If the change is worth it, record them by \
         `count --record`, and say why in the commit",
        more.join("; ")
    );
    println!("none of {} counts has grown by more than 1%", counts.len());
    Ok(())
}

/// Counts what is compared of a function.
async fn count(
    contestant: &Contestant,
    cloud: &Cloud,
    keep: Option<&Path>,
) -> anyhow::Result<Counts> {
    let (name, loads) = match contestant.role {
        Role::Ingest => (
            "ingest",
            [(Load::One, "an order"), (Load::Hundred, "an order of 100")],
        ),
        Role::Status => (
            "status",
            [(Load::One, "an id"), (Load::Hundred, "an id of 100")],
        ),
        Role::Process => (
            "process",
            [
                (Load::Hot, "an order of 50 for one article"),
                (Load::Distinct, "an order of 50 for an article each"),
            ],
        ),
    };
    let count = Count {
        contestant,
        cloud,
        keep,
    };
    let (init, first) = count.start(loads[0].0).await?;
    let mut counts = vec![("start", init), ("first invocation", first)];
    for (load, what) in loads {
        counts.push((what, count.warm(load).await?));
    }
    let counts = counts.into_iter().map(|(what, count)| {
        let count = format!("{count:.0}").parse()?;
        Ok((format!("{name}: {what}"), count))
    });
    counts.collect()
}

async fn compiler() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--version").output().await?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Reads a file: the compiler's version, and a count a line.
fn parse(text: &str) -> anyhow::Result<(&str, Counts)> {
    let (compiler, lines) = text.split_once('\n').context("an empty file")?;
    let count = |line: &str| {
        let (what, count) = line.rsplit_once(',').context("a line without a count")?;
        Ok((what.to_owned(), count.parse()?))
    };
    Ok((
        compiler,
        lines.lines().map(count).collect::<anyhow::Result<_>>()?,
    ))
}

/// Returns what takes more instructions than it may, or isn't in the file.
fn more(recorded: &Counts, counts: &Counts) -> Vec<String> {
    let is_more = |(what, count): &(&String, &u64)| {
        let ratio = |recorded: &u64| approximate(**count) / approximate(*recorded);
        recorded
            .get(*what)
            .map(ratio)
            .is_none_or(|ratio| ratio > MOST)
    };
    let more = counts.iter().filter(is_more);
    more.map(|(what, count)| format!("{what}, {count}"))
        .collect()
}

/// Counts below 2⁵³ are exact.
#[expect(clippy::cast_precision_loss)]
fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_one_percent_more_than_in_the_file_is_named() -> anyhow::Result<()> {
        let (compiler, recorded) = parse("rustc 1.0\na: start,1000\nan order, warm,500\n")?;
        assert_eq!(compiler, "rustc 1.0");
        for (start, order, expected) in [
            (1000, 500, 0),
            (1010, 505, 0),
            (1011, 1, 1),
            (1, 506, 1),
            (1100, 600, 2),
        ] {
            let counts = [("a: start", start), ("an order, warm", order)];
            let counts = counts.map(|(what, count)| (what.to_owned(), count)).into();
            assert_eq!(more(&recorded, &counts).len(), expected, "{start}, {order}");
        }
        let new = Counts::from([("another".to_owned(), 1)]);
        assert_eq!(more(&recorded, &new), ["another, 1"]);
        Ok(())
    }
}
