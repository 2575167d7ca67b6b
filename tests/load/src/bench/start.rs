//! Measures a cold start.

use super::{
    cloud::Cloud,
    function::{Function, Program},
    measure::{Measure, Values},
    megabytes, millis,
};
use std::time::Duration;

/// Starts a function, and invokes it with `first`, which returns the time of that invocation.
pub async fn start(
    program: &Program,
    cloud: &Cloud,
    first: impl AsyncFnOnce(&mut Function) -> anyhow::Result<Duration>,
) -> anyhow::Result<(Function, Values)> {
    let (mut function, init) = Function::start(program, &[], cloud).await?;
    let wall = first(&mut function).await?;
    let cpu = function.usage().at_rest().await?;
    let values = vec![
        (Measure::Size, megabytes(program.bytes)?),
        (Measure::InitCpu, millis(init.cpu)),
        (Measure::InitWall, millis(init.wall)),
        (Measure::FirstCpu, millis(cpu.saturating_sub(init.cpu))),
        (Measure::FirstWall, millis(wall)),
        (Measure::StartCpu, millis(cpu)),
    ];
    Ok((function, values))
}
