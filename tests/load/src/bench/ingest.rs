//! Measures one round of an `ingest` contestant: starts it, warms it up, and sends requests.

use super::{
    cloud::{Cloud, Latency},
    contestant::Contestant,
    function::Function,
    measure::{Measure, Values},
    megabytes, micros, millis, orders, ours,
    quota::Quota,
    start::start,
    stats::median,
};
use anyhow::{Context, ensure};
use bytes::Bytes;
use serde::Deserialize;
use std::time::Duration;

/// Requests with one order.
const SINGLES: Warmth = Warmth {
    before: 100,
    requests: 100,
};
/// Requests to a contestant that is compiled while it runs.
const SINGLES_COMPILED: Warmth = Warmth {
    before: 500,
    ..SINGLES
};
/// Requests with ten orders.
const TENS: Warmth = Warmth {
    before: 25,
    requests: 50,
};
/// Requests with a hundred orders.
const HUNDREDS: Warmth = Warmth {
    before: 5,
    requests: 10,
};
/// The response time of SQS.
const QUEUE_LATENCY: Duration = Duration::from_millis(8);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    body: String,
}

pub async fn round(
    contestant: &Contestant,
    cloud: &Cloud,
    quota: Option<&Quota>,
) -> anyhow::Result<Values> {
    cloud.set_latency(Latency::default());
    let first = async |function: &mut Function| {
        let wall = send(function, orders::single()?, 1).await?;
        expect(cloud, 1)?;
        Ok(wall)
    };
    let (mut function, mut values) = start(&contestant.program, cloud, first).await?;

    let singles = if contestant.compiles {
        SINGLES_COMPILED
    } else {
        SINGLES
    };
    let single = warm(&mut function, cloud, orders::single()?, 1, singles).await?;
    values.extend([
        (Measure::WarmCpu, single.cpu),
        (Measure::WarmWall, single.wall),
        (Measure::Memory, megabytes(function.usage().resident()?)?),
        (Measure::Logged, single.logged),
        (Measure::Sends, single.sends),
    ]);
    // Only ours takes more than one order per request.
    if contestant.name == ours::NAME {
        let ten = warm(&mut function, cloud, orders::batch(10)?, 10, TENS).await?;
        values.extend([
            (Measure::TenCpu, ten.cpu),
            (Measure::TenWall, ten.wall),
            (Measure::TenLogged, ten.logged),
            (Measure::TenSends, ten.sends),
        ]);
        let all = warm(&mut function, cloud, orders::batch(100)?, 100, HUNDREDS).await?;
        values.extend([
            (Measure::HundredCpu, all.cpu),
            (Measure::HundredWall, all.wall),
            (Measure::HundredLogged, all.logged),
            (Measure::HundredSends, all.sends),
        ]);
    }
    function.kill().await?;
    if let Some(quota) = quota {
        values.extend(small(contestant, cloud, quota).await?);
    }
    Ok(values)
}

/// Measures a cold start with the CPU of a 128 MB function.
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

/// Requests before and within the measurement.
#[derive(Clone, Copy)]
struct Warmth {
    before: usize,
    requests: usize,
}

/// The cost of an order, once the function is warm.
struct Warm {
    cpu: f64,
    wall: f64,
    logged: f64,
    sends: f64,
}

/// Sends requests with `count` orders each.
async fn warm(
    function: &mut Function,
    cloud: &Cloud,
    payload: Bytes,
    count: usize,
    warmth: Warmth,
) -> anyhow::Result<Warm> {
    for _ in 0..warmth.before {
        send(function, payload.clone(), count).await?;
    }
    // Its log is complete once the function is at rest.
    let before = function.usage().at_rest().await?;
    let logged = function.logged();
    cloud.take()?;
    let mut walls = Vec::with_capacity(warmth.requests);
    for _ in 0..warmth.requests {
        walls.push(millis(send(function, payload.clone(), count).await?));
    }
    let cpu = function.usage().at_rest().await?.saturating_sub(before);
    let orders = walls.len() * count;
    let requests = expect(cloud, orders)?;
    let orders = f64::from(u32::try_from(orders)?);
    Ok(Warm {
        cpu: micros(cpu) / orders,
        wall: median(&walls).context("no requests")?,
        logged: f64::from(u32::try_from(function.logged() - logged)?) / orders,
        sends: requests / orders,
    })
}

/// Sends one request, whose orders must all be accepted, and returns its response time.
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

/// Checks that exactly `orders` orders are on the queue, and returns the billed requests to SQS.
fn expect(cloud: &Cloud, orders: usize) -> anyhow::Result<f64> {
    let seen = cloud.take()?;
    let queued = seen.queued.len();
    ensure!(
        queued == orders,
        "{queued} orders are on the queue, not {orders}"
    );
    Ok(f64::from(u32::try_from(seen.queue_requests)?))
}
