//! Measures one round of a `process` contestant: batches of 50 orders for one hot article.

use super::{
    cloud::{Cloud, Latency, Seen},
    contestant::Contestant,
    function::Function,
    measure::{Measure, Values},
    megabytes, micros, millis,
    orders::Queue,
    start::start,
    stats::median,
};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::time::Duration;

/// Orders per batch: the template's `BatchSize`.
pub const BATCH: usize = 50;
/// Warm-up batches.
const WARM_UP: usize = 10;
/// Warm-up batches of a contestant that is compiled while it runs.
const WARM_UP_COMPILED: usize = 50;
/// Batches that are measured while the tables answer at once.
const BATCHES: usize = 10;
/// Batches that are measured while the tables take [`TABLE_LATENCY`].
const SLOW_BATCHES: usize = 3;
/// The response time of DynamoDB for a transaction.
const TABLE_LATENCY: Duration = Duration::from_millis(5);

pub async fn round(contestant: &Contestant, cloud: &Cloud) -> anyhow::Result<Values> {
    cloud.set_latency(Latency::default());
    let mut queue = Queue::new(false)?;
    let first = async |function: &mut Function| {
        let wall = deliver(function, &mut queue).await?;
        expect(cloud, 1)?;
        Ok(wall)
    };
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;

    let warm_up = if contestant.compiles {
        WARM_UP_COMPILED
    } else {
        WARM_UP
    };
    for _ in 0..warm_up {
        deliver(&mut function, &mut queue).await?;
    }
    // Its log is complete once the function is at rest.
    let before = function.usage().at_rest().await?;
    let logged = function.logged();
    cloud.take()?;
    let mut walls = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        walls.push(millis(deliver(&mut function, &mut queue).await?));
    }
    let cpu = function.usage().at_rest().await?.saturating_sub(before);
    let seen = expect(cloud, BATCHES)?;
    let batches = f64::from(u32::try_from(BATCHES)?);
    let orders = f64::from(u32::try_from(BATCHES * BATCH)?);
    values.extend([
        (Measure::WarmCpu, micros(cpu) / orders),
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
    let mut walls = Vec::with_capacity(SLOW_BATCHES);
    for _ in 0..SLOW_BATCHES {
        walls.push(millis(deliver(&mut function, &mut queue).await?));
    }
    expect(cloud, SLOW_BATCHES)?;
    let wall = median(&walls).context("no batches")?;
    values.push((Measure::BatchWall, wall));
    function.kill().await?;
    Ok(values)
}

/// Delivers a batch that must succeed completely, and returns its response time.
pub async fn deliver(function: &mut Function, queue: &mut Queue) -> anyhow::Result<Duration> {
    let (answer, wall) = function.invoke(queue.batch(BATCH)?).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let failures = answer["batchItemFailures"].as_array();
    ensure!(failures.is_none_or(Vec::is_empty), "failures: {answer}");
    Ok(wall)
}

/// Checks that the orders of exactly `batches` batches were written.
fn expect(cloud: &Cloud, batches: usize) -> anyhow::Result<Seen> {
    let seen = cloud.take()?;
    let (written, sent) = (seen.written.len(), batches * BATCH);
    ensure!(written == sent, "{written} orders were written, not {sent}");
    Ok(seen)
}
