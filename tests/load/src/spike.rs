//! Sends a spike of orders beyond the table's capacity, and follows them: once through a queue, and once through a
//! design that writes each order before it answers.
//!
//! # Layout, in the order of a run
//! - `options`: the command line. [`arrivals`]: the orders of each client over time; pure.
//! - [`design`]: the system under the spike, on a `local` of its own. [`table`]: its table, with a set latency and
//!   capacity.
//! - [`send`]: sends the orders on time, without waiting for answers. [`target`]: the same to a deployed API.
//! - [`reconciliation`]: reconciles the tables with the answers that clients got.
//! - [`mod@run`]: the record of a run. [`figures`]: its figures. [`series`]: the same second by second.
//! - [`report`] and [`goals`] print it, [`mod@picture`] draws it, on [panels](local::chart::Panel).

pub mod arrivals;
pub mod design;
pub mod figures;
pub mod goals;
mod options;
pub mod picture;
pub mod reconciliation;
pub mod report;
pub mod run;
pub mod send;
pub mod series;
pub mod table;
pub mod target;

use self::{
    arrivals::schedule, design::Design, figures::Figures, goals::Goals, picture::picture,
    report::Report,
};
use crate::machine;
use anyhow::{Context, Result};
pub use options::Options;
use std::fs;

/// Sends the spike, prints the table and writes the picture.
pub async fn run(options: &Options) -> Result<()> {
    let arrivals = schedule(options);
    let mut runs = Vec::new();
    if let Some(url) = &options.target {
        runs.push(target::run(url, &arrivals).await?);
    } else {
        runs.push(design::run(options, Design::Queue, &arrivals).await?);
        if !options.skip_synchronous {
            runs.push(design::run(options, Design::Synchronous, &arrivals).await?);
        }
    }
    let figures: Vec<_> = runs.iter().map(|run| Figures::of(options, run)).collect();
    println!("\n{}", machine::description().await);
    println!("{}", Report::new(options, &runs, &figures));
    if options.target.is_none() {
        println!("{}", Goals::new(options, &runs[0], &figures));
    }
    fs::write(&options.picture, picture(options, &runs))
        .with_context(|| format!("cannot write {}", options.picture.display()))?;
    println!("The picture is in {}.", options.picture.display());
    Ok(())
}
