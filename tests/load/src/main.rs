//! `cargo run --profile load --bin load -- spike`, `bench` and `count`.

use clap::Parser;
use load::{bench, count, spike};
use std::process::ExitCode;

/// Shows the intake under load.
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Sends a spike of orders, and draws their path into the table
    Spike(spike::Options),
    /// Measures the functions, and alternative implementations
    Bench(bench::Options),
    /// Counts the functions' instructions, and compares them with tests/load/instructions.csv
    Count(count::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Spike(options) => spike::run(&options).await,
        Command::Bench(options) => bench::run(&options).await,
        Command::Count(options) => count::run(&options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
