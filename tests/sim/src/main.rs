//! Runs any number of seeds, or the cases of the README's table.

use clap::Parser;
use sim::{
    alarms,
    case::Case,
    figures::{self, HEADER},
    run::run,
    seeds::{self, Failure},
    shrink::shrink,
    waits,
};
use std::process::ExitCode;

/// Runs `process` against a model of AWS in virtual time, one run per seed.
#[derive(Parser)]
struct Options {
    /// Number of seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// First seed to run
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run one seed, and print every event of its run
    #[arg(long, value_name = "SEED")]
    trace: Option<u64>,
    /// Run the README's cases whose names contain this text, instead of seeds
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    figures: Option<String>,
    /// Print which alarm fires for each fault, and after how many minutes, instead of running seeds
    #[arg(long)]
    alarms: bool,
    /// Print how often waiting clients poll, and how late they learn their outcomes, instead of running seeds
    #[arg(long)]
    waits: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.alarms {
        return match alarms() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        };
    }
    if options.waits {
        waits();
        return ExitCode::SUCCESS;
    }
    let failed = match (&options.figures, options.trace) {
        (Some(name), _) => figures(name),
        (None, Some(seed)) => trace(seed),
        (None, None) => seeds(&options),
    };
    ExitCode::from(u8::from(failed > 0))
}

fn alarms() -> anyhow::Result<()> {
    let watch = alarms::alarms()?;
    for (name, day, fired) in alarms::all(&watch) {
        println!("{name}, {day:?}: {}", alarms::list(&fired));
    }
    Ok(())
}

/// Prints the README's table of clients who wait.
fn waits() {
    println!(
        "| case | GETs an order | most a second ÷ most POSTs | lateness p50, p90, p99 |\n|---|---|---|---|"
    );
    for case in waits::all() {
        let seen = waits::run(&case.spike);
        let late = [0.5, 0.9, 0.99].map(|part| format!("{:.2}", seen.late(part)));
        let (gets, peak) = (seen.gets, seen.peak());
        println!(
            "| {} | {gets:.2} | {peak:.2} | {} |",
            case.name,
            late.join(", ")
        );
    }
}

fn figures(name: &str) -> usize {
    println!("{HEADER}");
    let named = figures::all().into_iter();
    let results = named
        .filter(|figure| figure.name.contains(name))
        .map(|figure| {
            let result = figures::measure(&figure);
            println!("{result}");
            result
        });
    results
        .filter(|result| !result.report.wrong.is_empty())
        .count()
}

fn trace(seed: u64) -> usize {
    let case = Case::of(seed);
    let report = run(&case, true);
    println!("{}\n{case:#?}", report.trace.join("\n"));
    for wrong in &report.wrong {
        println!("WRONG: {wrong}");
    }
    report.wrong.len()
}

fn seeds(options: &Options) -> usize {
    let failures = seeds::run(options.from..options.from + options.seeds);
    for Failure { seed, wrong } in &failures {
        println!("seed {seed}: {}", wrong.join("; "));
    }
    if let Some(Failure { seed, .. }) = failures.first() {
        let case = shrink(&Case::of(*seed));
        let report = run(&case, true);
        println!(
            "\nseed {seed}, shrunk: {case:#?}\n{}",
            report.trace.join("\n")
        );
        println!("WRONG: {}", report.wrong.join("\nWRONG: "));
    }
    let failed = failures.len();
    println!("{} passed, {failed} failed", options.seeds - failed as u64);
    failed
}
