//! The functions' binaries, measured beside those of others.

use clap::Args;

/// What is measured.
#[derive(Debug, Clone, Args)]
pub struct Options {}

/// Measures.
pub async fn run(_options: &Options) -> anyhow::Result<()> {
    Ok(())
}
