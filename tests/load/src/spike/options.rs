//! The spike's command line.

use clap::Args;
use std::{
    fmt::{self, Display},
    path::PathBuf,
    time::Duration,
};

/// The parameters of the spike. The defaults are five times the table's capacity, for a minute.
// Clap prints these comments verbatim.
#[expect(clippy::doc_markdown)]
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Orders a second in the spike
    #[arg(long, default_value_t = 660)]
    pub rate: u32,
    /// Duration of the spike, in seconds
    #[arg(long, default_value_t = 60)]
    pub seconds: u32,
    /// Seconds of calm before the spike, at a twentieth of its rate, to compare response times
    #[arg(long, default_value_t = 20)]
    pub calm: u32,
    /// Number of clients, each with its own API key
    #[arg(long, default_value_t = 1000)]
    pub clients: u32,
    /// Number of articles, with unequal demand: the n-th most wanted 1/n as often as the first
    #[arg(long, alias = "catalogue", default_value_t = 100)]
    pub articles: u32,
    /// Lines per order, at most 50; an article that is drawn twice is on two of them
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub lines: u32,
    /// Latency of the table's writes, in milliseconds
    #[arg(long, default_value_t = 8)]
    pub write_latency: u64,
    /// Write units per second of the table; it throttles writes beyond them
    #[arg(long, default_value_t = 400)]
    pub write_units: u32,
    /// The cap on workers, the template's MaximumConcurrency
    #[arg(long, default_value_t = 2)]
    pub maximum_concurrency: u32,
    /// Don't poll for outcomes
    #[arg(long)]
    pub no_poll: bool,
    /// Seed of the clients, their orders and the arrival times
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Watch the whole run, as an open page of the console does
    #[arg(long)]
    pub watch: bool,
    /// Skip the design that writes each order before it answers
    #[arg(long)]
    pub skip_synchronous: bool,
    /// Send to a deployed API instead: its URL with the stage; its key is read from ORDERS_API_KEY
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// File for the picture
    #[arg(long, value_name = "FILE", default_value = "spike.svg")]
    pub picture: PathBuf,
}

impl Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            rate,
            seconds,
            clients,
            articles,
            lines,
            ..
        } = self;
        write!(
            f,
            "{rate} orders a second for {seconds} s from {clients} clients, for {articles} articles, {lines} on an order"
        )
    }
}

impl Options {
    /// Start of the spike, from the start of the run.
    pub fn begin(&self) -> Duration {
        Duration::from_secs(self.calm.into())
    }

    /// End of the spike.
    pub fn end(&self) -> Duration {
        self.begin() + Duration::from_secs(self.seconds.into())
    }
}
