//! The functions' binaries, measured beside those of others.
//!
//! # Layout
//! - [`contestant`]: what is measured; [`ours`] and [`rivals`] build it.
//! - [`cloud`]: a fake SQS and DynamoDB that check each request, behind [`tls`]; [`orders`]: what the functions are sent.
//! - [`function`]: a function's process and its Runtime API; [`usage`]: what it uses; [`quota`]: the CPU of a 128 MB one.
//! - [`ingest`], [`process`]: one round of one contestant, from its [`start`] on, in [`blocks`]; [`measure`]: what comes out;
//!   [`stats`]: of all rounds.
//! - [`callgrind`]: instructions, which another run repeats.
//! - [`report`]: the tables; [`goals`]: what they are to show; [`cost`]: what
//!   they mean in dollars, by [`prices`].

pub mod blocks;
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
pub mod tls;
pub mod usage;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

use self::{
    cloud::Cloud,
    contestant::{Contestant, Deployment, Role},
    measure::{Results, Values},
    quota::Quota,
};
use crate::machine::{self, Watch};

/// The folder of the repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What is measured.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How often each contestant is measured, in turns
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure only these: ours, tutorial, python, node
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<Name>,
    /// Measure this repository's functions alone
    #[arg(long, conflicts_with = "only")]
    skip_rivals: bool,
    /// Leave these out
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    skip: Vec<Part>,
    /// Keep callgrind's profiles in this folder, for `callgrind_annotate`
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
    /// Send a quarter of the requests each round: figures for a first look
    #[arg(long)]
    quick: bool,
}

/// A contestant, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Ours,
    Tutorial,
    Python,
    Node,
}

/// What takes long, or needs more than a toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The starts with the CPU of a 128 MB function: they need cgroups
    Quota,
    /// The instruction counts: they need valgrind
    Callgrind,
}

/// How much is done in a round.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Requests that are measured.
    pub requests: usize,
    /// Batches that are measured.
    pub batches: usize,
}

impl Effort {
    const USUAL: Effort = Effort {
        requests: 400,
        batches: 40,
    };
    const QUICK: Effort = Effort {
        requests: 100,
        batches: 10,
    };
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

    let mut names: Vec<_> = contestants.iter().map(|one| one.name).collect();
    names.dedup();
    println!("{}  ", machine::description().await);
    println!("{}; {} rounds\n", watch.says(), options.rounds);
    print!("{}", report::tables(&results, &names));
    print!("{}", cost::table(&results, &names));
    print!("{}", goals::table(&results));
    Ok(())
}

/// Those that were asked for, both functions of each side by side.
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
    ensure!(!contestants.is_empty(), "nothing is left to be measured");
    Ok(contestants)
}

/// Every contestant once a round, each round beginning with another.
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
    let effort = if options.quick {
        Effort::QUICK
    } else {
        Effort::USUAL
    };
    let mut results = Results::default();
    for round in 0..options.rounds {
        let first = usize::try_from(round)? % contestants.len();
        for n in 0..contestants.len() {
            let contestant = &contestants[(first + n) % contestants.len()];
            let Contestant { name, role, .. } = contestant;
            eprintln!(
                "round {} of {}: {name}, {role:?}",
                round + 1,
                options.rounds
            );
            let values = measure(contestant, cloud, quota.as_ref(), effort).await;
            let values = values.with_context(|| format!("{name}, {role:?}"))?;
            results.add(*role, name, values);
        }
    }
    Ok(results)
}

/// Counts the instructions of those that are binaries, once: another run counts as many.
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
        // On a busy machine a function in valgrind is so slow that it gives up on a call.
        match count.values().await {
            Ok(counts) => results.add(*role, name, counts),
            Err(error) => eprintln!("without the instructions of {name}, {role:?}: {error:#}"),
        }
    }
}

async fn measure(
    contestant: &Contestant,
    cloud: &Cloud,
    quota: Option<&Quota>,
    effort: Effort,
) -> anyhow::Result<Values> {
    match contestant.role {
        Role::Ingest => ingest::round(contestant, cloud, quota, effort).await,
        Role::Process => process::round(contestant, cloud, effort).await,
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
