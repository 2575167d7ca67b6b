//! Cold starts, measured.

use std::time::Duration;

use anyhow::Context;

use super::{
    cloud::Cloud,
    function::{Function, Program, Spent},
    measure::{Measure, Values},
    megabytes, millis,
};

/// Starts of a round. The least of each figure counts: what others do on a shared machine only adds to it.
const STARTS: usize = 3;

/// Starts a function a few times, and invokes it by `first`, which gives how long that took. The last one goes on.
pub async fn start(
    program: &Program,
    cloud: &Cloud,
    mut first: impl AsyncFnMut(&mut Function) -> anyhow::Result<Duration>,
) -> anyhow::Result<(Function, Values)> {
    let mut starts = Vec::with_capacity(STARTS);
    let mut running = None::<Function>;
    for _ in 0..STARTS {
        if let Some(before) = running.take() {
            before.kill().await?;
        }
        let (mut function, init) = Function::start(program, &[], cloud).await?;
        let before = function.usage().at_rest().await?;
        let wall = first(&mut function).await?;
        let cpu = function.usage().at_rest().await?.saturating_sub(before);
        starts.push((init, Spent { cpu, wall }));
        running = Some(function);
    }
    let least = |figure: fn(&(Spent, Spent)) -> Duration| {
        let least = starts.iter().map(figure).min();
        least.map(millis).context("no starts")
    };
    let values = vec![
        (Measure::Size, megabytes(program.bytes)?),
        (Measure::InitCpu, least(|(init, _)| init.cpu)?),
        (Measure::InitWall, least(|(init, _)| init.wall)?),
        (Measure::FirstCpu, least(|(_, first)| first.cpu)?),
        (Measure::FirstWall, least(|(_, first)| first.wall)?),
        (
            Measure::StartCpu,
            least(|(init, first)| init.cpu + first.cpu)?,
        ),
    ];
    Ok((running.context("no starts")?, values))
}
