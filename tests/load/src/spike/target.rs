//! Runs the spike against a deployed API, seeing only what a client sees.

use super::{
    arrivals::Arrival,
    reconciliation::Reconciliation,
    run::Run,
    send::{Api, progress, send},
};
use crate::machine::Watch;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    env,
    time::{Duration, Instant, SystemTime},
};

/// The maximum number of orders to read at the end: more would be a second spike.
const ASKED: usize = 2000;

/// The limit for an order's outcome: later ones count as lost.
const PATIENCE: Duration = Duration::from_hours(1);

/// The part of an order that this client reads.
#[derive(Deserialize)]
struct Order {
    status: String,
    processed_at: Option<Timestamp>,
}

/// Sends the spike, and polls for orders, drawn evenly from the accepted ones, until each has its outcome.
pub async fn run(url: &str, arrivals: &[Arrival]) -> Result<Run> {
    let key = env::var("ORDERS_API_KEY")
        .context("ORDERS_API_KEY is missing: the API key to send with")?;
    let api = Api::new(url, Some(key))?;
    let bar = progress("deployed", " answered", arrivals.len())?;
    let (start, began) = (Instant::now(), SystemTime::now());
    let watch = Watch::start();
    // Polls from here would count as one client's: outcomes are read below.
    let (answers, _) = send(&api, arrivals, start, false, &bar).await?;
    let machine = watch.says();
    let accepted = answers
        .iter()
        .filter(|answer| answer.id().is_some())
        .count();
    let step = accepted.div_ceil(ASKED).max(1);
    let ids: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.id())
        .step_by(step)
        .map(str::to_owned)
        .collect();
    let asked: HashSet<_> = ids.iter().cloned().collect();
    bar.set_length(ids.len() as u64);
    bar.set_prefix(" settled");
    let mut written = HashMap::new();
    let (mut lost, mut open) = (0, ids);
    let mut ticks = tokio::time::interval(Duration::from_secs(2));
    while !open.is_empty() && start.elapsed() < PATIENCE {
        ticks.tick().await;
        let mut unsettled = Vec::new();
        for id in open {
            let path = format!("/orders/{id}");
            let Ok(answer) = api.call(Method::GET, &path, 0, Bytes::new()).await else {
                unsettled.push(id);
                continue;
            };
            let order = serde_json::from_slice::<Order>(answer.body());
            match (answer.status().as_u16(), order) {
                (
                    200,
                    Ok(Order {
                        status,
                        processed_at: Some(at),
                    }),
                ) if status != "failed" => {
                    let at = SystemTime::from(at)
                        .duration_since(began)
                        .unwrap_or_default();
                    written.insert(id, at);
                }
                (404, _) => lost += 1,
                _ => unsettled.push(id),
            }
        }
        bar.set_position(written.len() as u64);
        open = unsettled;
    }
    lost += open.len();
    // An order that was not polled counts as written with the polled one before it.
    let mut before = Duration::ZERO;
    for answer in &answers {
        let Some(id) = answer.id() else {
            continue;
        };
        if written.contains_key(id) || !asked.contains(id) {
            before = *written
                .entry(id.to_owned())
                .or_insert(before.max(answer.at()));
        }
    }
    Ok(Run {
        name: "deployed",
        answers,
        attempts: Vec::new(),
        written,
        at_once: None,
        machine,
        followed: HashMap::new(),
        reconciliation: Reconciliation {
            lost,
            ..Reconciliation::default()
        },
    })
}
