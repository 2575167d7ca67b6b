//! Measures the functions' binaries against those of other implementations.
//!
//! # Layout
//! - [`contestant`]: a program under measurement; [`ours`] and [`rivals`] build it.
//! - [`cloud`]: a fake SQS and DynamoDB that check each request, behind [`tls`]; [`orders`]: the functions' events.
//! - [`function`]: a function's process and its Runtime API; [`usage`]: its CPU time and memory; [`quota`]: the CPU of a
//!   128 MB function.
//! - [`ingest`], [`status`], [`process`]: one round of one contestant, from its [`start`] on; [`measure`]: a round's values;
//!   [`stats`]: their medians over all rounds.
//! - [`callgrind`]: instruction counts, which repeated runs confirm.
//! - [`report`]: the tables; [`goals`]: their goals; [`cost`]: the dollars that follow from them, by [`prices`].

pub mod callgrind;
pub mod cloud;
pub mod contestant;
pub mod cost;
pub mod function;
pub mod goals;
pub mod ingest;
pub mod measure;
pub mod orders;
pub mod ours;
pub mod prices;
pub mod process;
pub mod quota;
pub mod report;
pub mod rivals;
pub mod start;
pub mod stats;
pub mod status;
pub mod tls;
pub mod usage;

use self::{
    cloud::Cloud,
    contestant::{Contestant, Deployment, Role},
    measure::Results,
    quota::Quota,
};
use crate::machine::{self, Watch};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use std::{path::PathBuf, time::Duration};

/// The folder of the repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Rounds; each measures every contestant once
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure only these: ours, tutorial, python, node
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<Name>,
    /// Measure only this repository's functions
    #[arg(long, conflicts_with = "only")]
    skip_rivals: bool,
    /// Leave out these measurements
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    skip: Vec<Part>,
    /// Keep callgrind's profiles in this folder, for `callgrind_annotate`
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
}

/// A contestant, by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Ours,
    Tutorial,
    Python,
    Node,
}

/// Measurements that take long, or need more than a toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The starts with the CPU of a 128 MB function, which need cgroups
    Quota,
    /// The instruction counts, which need valgrind
    Callgrind,
}

/// Measures, and prints tables on stdout.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let cloud = Cloud::start().await?;
    let contestants = contestants(options, &cloud).await?;
    let watch = Watch::start();
    let mut results = rounds(options, &cloud, &contestants).await?;
    if !options.skip.contains(&Part::Callgrind) {
        count(options, &cloud, &contestants, &mut results).await;
    }

    let ingests = contestants.iter().filter(|one| one.role == Role::Ingest);
    let names: Vec<_> = ingests.map(|one| one.name).collect();
    println!("{}  ", machine::description().await);
    println!("{}; {} rounds\n", watch.says(), options.rounds);
    print!("{}", report::tables(&results, &names));
    print!("{}", cost::table(&results, &names));
    print!("{}", goals::table(&results));
    Ok(())
}

/// Builds the requested contestants, those of one role side by side.
async fn contestants(options: &Options, cloud: &Cloud) -> anyhow::Result<Vec<Contestant>> {
    let wanted = |name| {
        let all = options.only.is_empty() && !options.skip_rivals;
        all || options.only.contains(&name) || options.skip_rivals && name == Name::Ours
    };
    let deployment = Deployment::read(cloud)?;
    let mut contestants = Vec::new();
    if wanted(Name::Ours) {
        eprintln!("building the functions, each package by itself");
        contestants.extend(ours::build(&deployment).await?);
    }
    for (name, title) in [
        (Name::Tutorial, rivals::TUTORIAL),
        (Name::Python, rivals::PYTHON),
        (Name::Node, rivals::NODE),
    ] {
        if !wanted(name) {
            continue;
        }
        eprintln!("building {title}");
        match rivals::build(title, &deployment, cloud).await {
            Ok(rival) => contestants.extend(rival),
            Err(error) => eprintln!("without {title}: {error:#}"),
        }
    }
    ensure!(!contestants.is_empty(), "nothing is left to measure");
    contestants.sort_by_key(|one| one.role);
    Ok(contestants)
}

/// Measures every contestant once per round. Contestants that are compared run one after the other, and each round starts with
/// a different one.
async fn rounds(
    options: &Options,
    cloud: &Cloud,
    contestants: &[Contestant],
) -> anyhow::Result<Results> {
    let quota = if options.skip.contains(&Part::Quota) {
        None
    } else {
        Quota::new()
            .inspect_err(|error| eprintln!("without the starts at 128 MB: {error}"))
            .ok()
    };
    let mut results = Results::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for rivals in contestants.chunk_by(|one, other| one.role == other.role) {
            let (before, first) = rivals.split_at(usize::try_from(round)? % rivals.len());
            for contestant in first.iter().chain(before) {
                let Contestant { name, role, .. } = contestant;
                let values = match role {
                    Role::Ingest => ingest::round(contestant, cloud, quota.as_ref()).await,
                    Role::Status => status::round(contestant, cloud).await,
                    Role::Process => process::round(contestant, cloud).await,
                };
                let values = values.with_context(|| format!("{name}, {role:?}"))?;
                results.add(*role, name, values);
            }
        }
    }
    Ok(results)
}

/// Counts the instructions of the contestants that are binaries. Once is enough: another run counts the same.
async fn count(
    options: &Options,
    cloud: &Cloud,
    contestants: &[Contestant],
    results: &mut Results,
) {
    if !callgrind::is_here().await {
        eprintln!("without instruction counts: valgrind cannot be run");
        return;
    }
    let binaries = [ours::NAME, rivals::TUTORIAL];
    for contestant in contestants {
        let Contestant { name, role, .. } = contestant;
        if !binaries.contains(name) {
            continue;
        }
        eprintln!("counting instructions: {name}, {role:?}");
        let count = callgrind::Count {
            contestant,
            cloud,
            keep: options.profiles.as_deref(),
        };
        // On a busy machine a function in valgrind is so slow that its calls can time out.
        match count.values().await {
            Ok(counts) => results.add(*role, name, counts),
            Err(error) => eprintln!("without the instructions of {name}, {role:?}: {error:#}"),
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn megabytes(bytes: u64) -> anyhow::Result<f64> {
    Ok(f64::from(u32::try_from(bytes / 1024)?) * 1024.0 / 1e6)
}
