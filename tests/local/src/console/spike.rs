//! Places orders at a rate, through the API as clients do, so that one click shows what the queue is for.

use super::{Console, capacity::Capacity, form::Form};
use crate::faults::Call;
use bytes::Bytes;
use dynoxide::{AttributeValue, actions::put_item::PutItemRequest};
use fastrand::Rng;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    select,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// Articles that a spike orders. They are its own, so that it doesn't buy up the others.
const ARTICLES: usize = 10;
/// Pieces of each at the start.
const IN_STOCK: u64 = 1_000_000;
/// Clients, each with a key of its own.
const CLIENTS: usize = 100;
/// Requests at a time; orders beyond wait, so that connections don't run out.
const CONNECTIONS: usize = 1000;
/// A client's time-out: one second more than API Gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);
/// The tables are limited until the queue is drained, but no longer than this.
const DRAIN: Duration = Duration::from_mins(10);

/// A spike, as it was asked for, and how far it is.
#[derive(Debug)]
pub struct Spike {
    rate: u32,
    seconds: u32,
    /// Write units a second that the tables take meanwhile.
    units: u32,
    sent: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    stage: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Sending,
    Draining,
    Over,
}

/// How far a spike is.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub stage: Stage,
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub unanswered: u64,
}

impl Spike {
    /// Reads the form; the error is a sentence.
    pub fn read(form: &Form) -> Result<Self, String> {
        Ok(Self {
            rate: form.number("rate", 1..=2000)?,
            seconds: form.number("seconds", 1..=120)?,
            units: form.number("units", 10..=100_000)?,
            sent: AtomicU64::default(),
            accepted: AtomicU64::default(),
            refused: AtomicU64::default(),
            stage: AtomicU64::default(),
        })
    }

    /// All orders of the spike.
    pub fn orders(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// Write units a second that the tables take until the queue is drained.
    pub fn units(&self) -> u32 {
        self.units
    }

    pub fn seen(&self) -> Seen {
        let [accepted, refused, sent] =
            [&self.accepted, &self.refused, &self.sent].map(|count| count.load(Relaxed));
        Seen {
            stage: match self.stage.load(Relaxed) {
                0 => Stage::Sending,
                1 => Stage::Draining,
                _ => Stage::Over,
            },
            sent,
            accepted,
            refused,
            unanswered: sent.saturating_sub(accepted + refused),
        }
    }

    /// Sends the orders when they are due, and waits for all answers.
    async fn send(self: &Arc<Self>, api: &str) {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        let mut chance = Rng::new();
        let mut requests = JoinSet::new();
        let mut ticks = interval(Duration::from_millis(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let start = Instant::now();
        while self.sent.load(Relaxed) < self.orders() {
            ticks.tick().await;
            let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            let due = (millis * u64::from(self.rate) / 1000).min(self.orders());
            for _ in self.sent.load(Relaxed)..due {
                let Ok(connection) = connections.clone().acquire_owned().await else {
                    return;
                };
                let Ok(request) = order(api, &mut chance) else {
                    return;
                };
                self.sent.fetch_add(1, Relaxed);
                let (spike, http) = (self.clone(), http.clone());
                requests.spawn(async move {
                    let answer = async {
                        let answer = http.request(request).await.ok()?;
                        let status = answer.status();
                        // A connection whose answer is read is used again.
                        answer.into_body().collect().await.ok()?;
                        Some(status)
                    };
                    let status = timeout(PATIENCE, answer).await.ok().flatten();
                    drop(connection);
                    let counter = match status {
                        Some(StatusCode::ACCEPTED) => &spike.accepted,
                        _ => &spike.refused,
                    };
                    counter.fetch_add(1, Relaxed);
                });
                while requests.try_join_next().is_some() {}
            }
        }
        while requests.join_next().await.is_some() {}
    }
}

impl Console {
    /// Starts a spike; the error is a sentence.
    pub(super) fn start(self: &Arc<Self>, form: &Form) -> Result<(), String> {
        let spike = Arc::new(Spike::read(form)?);
        let mut current = self.spike();
        if let Some(current) = &*current
            && current.seen().stage == Stage::Sending
        {
            return Err("A spike is being sent: wait for its end.".to_owned());
        }
        self.stock_up()?;
        *current = Some(spike.clone());
        drop(current);
        let console = self.clone();
        tokio::spawn(async move {
            let mut stopping = console.stopping.subscribe();
            select! {
                () = console.run(&spike) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        });
        Ok(())
    }

    async fn run(&self, spike: &Arc<Spike>) {
        let capacity = Capacity::new(spike.units, std::time::Instant::now());
        let judge = move |call: &Call| capacity.judge(call, std::time::Instant::now());
        let limit = self.faults.add(judge).for_good();
        spike.send(&self.system.api).await;
        spike.stage.store(1, Relaxed);
        let mut ticks = interval(Duration::from_millis(500));
        let drained = async {
            loop {
                ticks.tick().await;
                let depth = self.sqs.depth(&self.system.queue);
                let is_drained = depth.visible + depth.in_flight + depth.delayed == 0;
                // The tables have the limit of the next spike then, not of both.
                let is_replaced = !self.spike().as_ref().is_some_and(|s| Arc::ptr_eq(s, spike));
                if is_drained || is_replaced {
                    return;
                }
            }
        };
        drop(timeout(DRAIN, drained).await);
        spike.stage.store(2, Relaxed);
        self.faults.lift(limit);
    }

    /// Gives the spike's articles a stock that no spike uses up.
    fn stock_up(&self) -> Result<(), String> {
        (1..=ARTICLES).try_for_each(|n| {
            let item = [
                ("sku", AttributeValue::S(format!("spike-{n}"))),
                ("in_stock", AttributeValue::N(IN_STOCK.to_string())),
            ];
            let put = PutItemRequest {
                table_name: self.system.articles.clone(),
                item: item.map(|(name, value)| (name.to_owned(), value)).into(),
                ..PutItemRequest::default()
            };
            let put = self.database.put_item(put);
            put.map(drop)
                .map_err(|error| format!("The spike's articles can't be stocked: {error}."))
        })
    }
}

/// An order for one of the spike's articles, some wanted more than others.
fn order(api: &str, chance: &mut Rng) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let article = 1 + chance.usize(..ARTICLES).min(chance.usize(..ARTICLES));
    let order = json!({
        "lines": [{"sku": format!("spike-{article}"), "quantity": chance.u32(1..=3), "unit_price": 1250}],
        "currency": "EUR",
    });
    Request::post(format!("{api}/orders"))
        .header("content-type", "application/json")
        .header("x-api-key", format!("spike-{}", chance.usize(..CLIENTS)))
        .body(Full::from(order.to_string()))
}
