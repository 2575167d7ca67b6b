//! A wall of orders against a table that can be overrun.

use clap::Args;

/// What the spike is like.
#[derive(Debug, Clone, Args)]
pub struct Options {}

/// Runs it.
pub async fn run(_options: &Options) -> anyhow::Result<()> {
    Ok(())
}
