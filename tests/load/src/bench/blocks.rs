//! CPU time on a machine that is shared: what others do (a core's other half, the caches) only adds to it. So
//! invocations are measured in blocks, and the least block counts.

use std::time::Duration;

use super::function::Function;

/// Blocks of a round.
pub const BLOCKS: usize = 5;

/// Runs a block so often, and gives the least CPU time that the function used for one.
pub async fn least(
    function: &mut Function,
    mut block: impl AsyncFnMut(&mut Function) -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..BLOCKS {
        let before = function.usage().at_rest().await?;
        block(function).await?;
        let after = function.usage().at_rest().await?;
        least = least.min(after.saturating_sub(before));
    }
    Ok(least)
}
