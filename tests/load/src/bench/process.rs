//! One round of a `process`: batches of 50 orders for one hot article.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    Effort,
    blocks::{self, BLOCKS},
    cloud::{Cloud, Latency, Seen},
    contestant::Contestant,
    function::Function,
    measure::{Measure, Values},
    megabytes, micros, millis,
    orders::Queue,
    start::start,
    stats::median,
};

/// Orders of a batch: what the template asks for.
pub const BATCH: usize = 50;
/// How long DynamoDB takes for a transaction.
const TABLE_LATENCY: Duration = Duration::from_millis(5);

/// Measures it once.
pub async fn round(
    contestant: &Contestant,
    cloud: &Cloud,
    effort: Effort,
) -> anyhow::Result<Values> {
    cloud.set_latency(Latency::default());
    let mut queue = Queue::new()?;
    let first = async |function: &mut Function| {
        let wall = deliver(function, &mut queue).await?;
        expect(cloud, 1)?;
        Ok(wall)
    };
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;

    for _ in 0..effort.batches / 2 {
        deliver(&mut function, &mut queue).await?;
    }
    // What the warm-up logged is there when it rests.
    function.usage().at_rest().await?;
    let logged = function.logged();
    cloud.take()?;
    let mut walls = Vec::with_capacity(effort.batches);
    let block = effort.batches / BLOCKS;
    let cpu = blocks::least(&mut function, async |function| {
        for _ in 0..block {
            walls.push(millis(deliver(function, &mut queue).await?));
        }
        Ok(())
    });
    let cpu = micros(cpu.await?) / f64::from(u32::try_from(block * BATCH)?);
    let seen = expect(cloud, walls.len())?;
    let batches = f64::from(u32::try_from(walls.len())?);
    let orders = f64::from(u32::try_from(walls.len() * BATCH)?);
    values.extend([
        (Measure::WarmCpu, cpu),
        (Measure::WarmWall, median(&walls).context("no batches")?),
        (Measure::Memory, megabytes(function.usage().resident()?)?),
        (
            Measure::Logged,
            f64::from(u32::try_from(function.logged() - logged)?) / orders,
        ),
        (
            Measure::Transactions,
            f64::from(u32::try_from(seen.transactions)?) / batches,
        ),
        (
            Measure::WriteUnits,
            f64::from(u32::try_from(seen.write_units)?) / orders,
        ),
    ]);

    cloud.set_latency(Latency {
        table: TABLE_LATENCY,
        ..Latency::default()
    });
    let slow = (effort.batches / 5).max(3);
    let mut walls = Vec::with_capacity(slow);
    for _ in 0..slow {
        walls.push(millis(deliver(&mut function, &mut queue).await?));
    }
    expect(cloud, slow)?;
    let wall = median(&walls).context("no batches")?;
    values.push((Measure::BatchWall, wall));
    function.kill().await?;
    Ok(values)
}

/// Delivers a batch, of which nothing may fail, and gives how long that took.
pub async fn deliver(function: &mut Function, queue: &mut Queue) -> anyhow::Result<Duration> {
    let (answer, wall) = function.invoke(queue.batch(BATCH)?).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let failures = answer["batchItemFailures"].as_array();
    ensure!(failures.is_none_or(Vec::is_empty), "failures: {answer}");
    Ok(wall)
}

/// Whether the orders of just so many batches were written.
fn expect(cloud: &Cloud, batches: usize) -> anyhow::Result<Seen> {
    let seen = cloud.take()?;
    let (written, sent) = (seen.written.len(), batches * BATCH);
    ensure!(written == sent, "{written} orders are written, not {sent}");
    Ok(seen)
}
