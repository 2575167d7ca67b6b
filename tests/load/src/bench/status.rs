//! Measures one round of a `status` contestant: reads orders that have their outcome.

use super::{
    cloud::{Cloud, Latency},
    contestant::Contestant,
    function::Function,
    measure::{Measure, Values},
    megabytes, micros, millis, orders,
    start::start,
    stats::median,
};
use anyhow::{Context, ensure};
use bytes::Bytes;
use serde::Deserialize;
use std::time::Duration;

/// The number of requests for one order: warm-up, then measured.
const SINGLES: (usize, usize) = (100, 100);
/// The same, for a hundred orders.
const HUNDREDS: (usize, usize) = (5, 10);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    body: String,
}

pub async fn round(contestant: &Contestant, cloud: &Cloud) -> anyhow::Result<Values> {
    cloud.set_latency(Latency::default());
    let first = async |function: &mut Function| {
        let wall = ask(function, orders::status()?, 1).await?;
        cloud.take()?;
        Ok(wall)
    };
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;
    let single = warm(&mut function, cloud, orders::status()?, 1, SINGLES).await?;
    values.extend([
        (Measure::WarmCpu, single.cpu),
        (Measure::WarmWall, single.wall),
        (Measure::Memory, megabytes(function.usage().resident()?)?),
        (Measure::Logged, single.logged),
    ]);
    let all = warm(&mut function, cloud, orders::statuses(100)?, 100, HUNDREDS).await?;
    values.extend([
        (Measure::HundredCpu, all.cpu),
        (Measure::HundredWall, all.wall),
        (Measure::HundredLogged, all.logged),
    ]);
    function.kill().await?;
    Ok(values)
}

/// The cost of a status, once the function is warm.
struct Warm {
    cpu: f64,
    wall: f64,
    logged: f64,
}

/// Reads `count` orders per request.
async fn warm(
    function: &mut Function,
    cloud: &Cloud,
    payload: Bytes,
    count: usize,
    (before, requests): (usize, usize),
) -> anyhow::Result<Warm> {
    for _ in 0..before {
        ask(function, payload.clone(), count).await?;
    }
    let rest = function.usage().at_rest().await?;
    let logged = function.logged();
    let mut walls = Vec::with_capacity(requests);
    for _ in 0..requests {
        walls.push(millis(ask(function, payload.clone(), count).await?));
    }
    let cpu = function.usage().at_rest().await?.saturating_sub(rest);
    cloud.take()?;
    let orders = f64::from(u32::try_from(requests * count)?);
    Ok(Warm {
        cpu: micros(cpu) / orders,
        wall: median(&walls).context("no requests")?,
        logged: f64::from(u32::try_from(function.logged() - logged)?) / orders,
    })
}

/// Reads `count` orders, which must all be confirmed, and returns the response time.
pub async fn ask(
    function: &mut Function,
    payload: Bytes,
    count: usize,
) -> anyhow::Result<Duration> {
    let (answer, wall) = function.invoke(payload).await?;
    let text = || String::from_utf8_lossy(&answer).into_owned();
    let Answer { status_code, body } = serde_json::from_slice(&answer).with_context(text)?;
    ensure!(status_code == 200, "no status: {}", text());
    let confirmed = body.matches("\"status\":\"confirmed\"").count();
    ensure!(
        confirmed == count,
        "{confirmed} of {count} are confirmed: {body}"
    );
    Ok(wall)
}
