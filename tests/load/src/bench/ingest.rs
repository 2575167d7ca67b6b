//! One round of an `ingest`: started, warmed up, and measured.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use serde::Deserialize;

use super::{
    Effort,
    blocks::{self, BLOCKS},
    cloud::{Cloud, Latency},
    contestant::Contestant,
    function::Function,
    measure::{Measure, Values},
    megabytes, micros, millis, orders, ours,
    quota::Quota,
    start::start,
    stats::median,
};

/// How long SQS takes to store a message.
const QUEUE_LATENCY: Duration = Duration::from_millis(8);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    body: String,
}

/// Measures it once.
pub async fn round(
    contestant: &Contestant,
    cloud: &Cloud,
    quota: Option<&Quota>,
    effort: Effort,
) -> anyhow::Result<Values> {
    cloud.set_latency(Latency::default());
    let first = async |function: &mut Function| {
        let wall = send(function, orders::single()?, 1).await?;
        expect(cloud, 1)?;
        Ok(wall)
    };
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;

    let single = warm(&mut function, cloud, orders::single()?, 1, effort.requests).await?;
    values.extend([
        (Measure::WarmCpu, single.cpu),
        (Measure::WarmWall, single.wall),
        (Measure::Memory, megabytes(function.usage().resident()?)?),
        (Measure::Logged, single.logged),
        (Measure::Sends, single.sends),
    ]);
    // Only ours takes more than one order a request.
    if contestant.name == ours::NAME {
        let ten = warm(
            &mut function,
            cloud,
            orders::batch(10)?,
            10,
            effort.requests / 4,
        )
        .await?;
        values.extend([
            (Measure::TenCpu, ten.cpu),
            (Measure::TenWall, ten.wall),
            (Measure::TenLogged, ten.logged),
            (Measure::TenSends, ten.sends),
        ]);
        let all = warm(
            &mut function,
            cloud,
            orders::batch(100)?,
            100,
            effort.requests / 20,
        )
        .await?;
        values.extend([
            (Measure::HundredCpu, all.cpu),
            (Measure::HundredWall, all.wall),
        ]);
    }
    function.kill().await?;
    if let Some(quota) = quota {
        values.extend(small(contestant, cloud, quota).await?);
    }
    Ok(values)
}

/// A cold start with the CPU of a 128 MB function.
async fn small(contestant: &Contestant, cloud: &Cloud, quota: &Quota) -> anyhow::Result<Values> {
    cloud.set_latency(Latency {
        queue: QUEUE_LATENCY,
        ..Latency::default()
    });
    let wrapper = quota.wrapper();
    let (mut function, init) = Function::start(&contestant.program, &wrapper, cloud).await?;
    let wall = send(&mut function, orders::single()?, 1).await?;
    expect(cloud, 1)?;
    function.kill().await?;
    Ok(vec![
        (Measure::QuotaInitWall, millis(init.wall)),
        (Measure::QuotaFirstWall, millis(wall)),
    ])
}

/// What an order takes, once the function is warm.
struct Warm {
    cpu: f64,
    wall: f64,
    logged: f64,
    sends: f64,
}

/// Sends so many requests of so many orders, after half as many that are not measured.
async fn warm(
    function: &mut Function,
    cloud: &Cloud,
    payload: Bytes,
    count: usize,
    requests: usize,
) -> anyhow::Result<Warm> {
    for _ in 0..requests / 2 {
        send(function, payload.clone(), count).await?;
    }
    // What the warm-up logged is there when it rests.
    function.usage().at_rest().await?;
    let logged = function.logged();
    cloud.take()?;
    let mut walls = Vec::with_capacity(requests);
    let block = requests / BLOCKS;
    let cpu = blocks::least(function, async |function| {
        for _ in 0..block {
            walls.push(millis(send(function, payload.clone(), count).await?));
        }
        Ok(())
    });
    let cpu = micros(cpu.await?) / f64::from(u32::try_from(block * count)?);
    let sent = walls.len() * count;
    let requests = expect(cloud, sent)?;
    let sent = f64::from(u32::try_from(sent)?);
    Ok(Warm {
        cpu,
        wall: median(&walls).context("no requests")?,
        logged: f64::from(u32::try_from(function.logged() - logged)?) / sent,
        sends: requests / sent,
    })
}

/// Sends one request, whose orders must all be accepted, and gives how long that took.
pub async fn send(
    function: &mut Function,
    payload: Bytes,
    count: usize,
) -> anyhow::Result<Duration> {
    let (answer, wall) = function.invoke(payload).await?;
    let text = || String::from_utf8_lossy(&answer).into_owned();
    let Answer { status_code, body } = serde_json::from_slice(&answer).with_context(text)?;
    ensure!(status_code == 202, "not accepted: {}", text());
    if count > 1 {
        let accepted = format!("\"accepted\":{count},");
        ensure!(body.contains(&accepted), "not all accepted: {body}");
    }
    Ok(wall)
}

/// Whether just so many orders are on the queue; gives the requests of SQS that are billed for it.
fn expect(cloud: &Cloud, orders: usize) -> anyhow::Result<f64> {
    let seen = cloud.take()?;
    let queued = seen.queued.len();
    ensure!(
        queued == orders,
        "{queued} orders are on the queue, not {orders}"
    );
    Ok(f64::from(u32::try_from(seen.queue_requests)?))
}
