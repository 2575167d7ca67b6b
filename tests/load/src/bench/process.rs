//! One round of a `process`: batches of 50 orders for one hot article.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    Effort,
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
    let first = async |function: &mut Function| deliver(function, &mut queue).await;
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;
    expect(cloud, 1)?;

    for _ in 0..effort.batches / 2 {
        deliver(&mut function, &mut queue).await?;
    }
    let (before, logged) = (function.usage().at_rest().await?, function.logged());
    cloud.take()?;
    let walls = deliver_all(&mut function, &mut queue, effort.batches).await?;
    let cpu = function.usage().at_rest().await?.saturating_sub(before);
    let seen = expect(cloud, effort.batches)?;
    let batches = f64::from(u32::try_from(effort.batches)?);
    let orders = f64::from(u32::try_from(effort.batches * BATCH)?);
    values.extend([
        (Measure::WarmCpu, micros(cpu) / orders),
        (Measure::WarmWall, walls),
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
    let wall = deliver_all(&mut function, &mut queue, slow).await?;
    expect(cloud, slow)?;
    values.push((Measure::BatchWall, wall));
    function.kill().await?;
    Ok(values)
}

/// Delivers so many batches, and gives the median of the milliseconds that one took.
async fn deliver_all(
    function: &mut Function,
    queue: &mut Queue,
    batches: usize,
) -> anyhow::Result<f64> {
    let mut walls = Vec::with_capacity(batches);
    for _ in 0..batches {
        walls.push(millis(deliver(function, queue).await?));
    }
    median(&walls).context("no batches")
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
