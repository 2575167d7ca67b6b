//! Places orders at a rate, through the API as clients do, so that one click shows what the queue is for.

mod clients;

use super::{Console, capacity::Capacity, form::Form};
use crate::faults::Call;
use clients::Clients;
use dynoxide::actions::put_item::PutItemRequest;
use events::order::kit;
use fastrand::Rng;
use hyper::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    select,
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// The number of articles that a spike orders. They are its own, so that it doesn't use up the others.
const ARTICLES: usize = 10;
/// The stock of each article at the start.
const IN_STOCK: u64 = 1_000_000;
/// The number of clients, each with its own key.
const CLIENTS: usize = 100;
/// How long, at most, the tables stay limited until the queue is drained, and clients poll for their outcomes.
const DRAIN: Duration = Duration::from_mins(10);

/// A spike as requested, and its progress.
#[derive(Debug)]
pub struct Spike {
    rate: u32,
    seconds: u32,
    /// Write units per second that the tables accept in the meantime.
    units: u32,
    sent: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    /// The number of clients that know their outcome.
    known: AtomicU64,
    stage: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Sending,
    Draining,
    Over,
}

/// The progress of a spike.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub stage: Stage,
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub known: u64,
}

impl Spike {
    /// Parses the form; the error is a sentence.
    pub fn read(form: &Form) -> Result<Self, String> {
        Ok(Self {
            rate: form.number("rate", 1..=2000)?,
            seconds: form.number("seconds", 1..=120)?,
            units: form.number("units", 10..=100_000)?,
            sent: AtomicU64::default(),
            accepted: AtomicU64::default(),
            refused: AtomicU64::default(),
            known: AtomicU64::default(),
            stage: AtomicU64::default(),
        })
    }

    /// The number of orders in the spike.
    pub fn orders(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// Write units per second that the tables accept until the queue is drained.
    pub fn units(&self) -> u32 {
        self.units
    }

    pub fn seen(&self) -> Seen {
        let [known, accepted, refused, sent] =
            [&self.known, &self.accepted, &self.refused, &self.sent]
                .map(|count| count.load(Relaxed));
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
            known,
        }
    }

    /// Sends the orders when they are due, and waits for all answers. Returns the clients, which keep polling for their
    /// outcomes.
    async fn send(self: &Arc<Self>, api: &str) -> JoinSet<()> {
        let (clients, mut at_work) = (Clients::new(api), JoinSet::new());
        let mut chance = Rng::new();
        let mut ticks = interval(Duration::from_millis(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let start = Instant::now();
        while self.sent.load(Relaxed) < self.orders() {
            ticks.tick().await;
            let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            let due = (millis * u64::from(self.rate) / 1000).min(self.orders());
            for _ in self.sent.load(Relaxed)..due {
                let Ok(connection) = clients.connection().await else {
                    return at_work;
                };
                self.sent.fetch_add(1, Relaxed);
                let key = format!("spike-{}", chance.usize(..CLIENTS));
                let client =
                    self.clone()
                        .client(clients.clone(), connection, key, order(&mut chance));
                at_work.spawn(client);
                while at_work.try_join_next().is_some() {}
            }
        }
        while self.seen().unanswered > 0 {
            ticks.tick().await;
        }
        at_work
    }

    /// Places an order, over a free connection, and waits for its outcome.
    async fn client(
        self: Arc<Self>,
        clients: Clients,
        connection: OwnedSemaphorePermit,
        key: String,
        order: String,
    ) {
        let answer = clients.place(&key, order).await;
        drop(connection);
        let Some((StatusCode::ACCEPTED, ticket)) = answer else {
            self.refused.fetch_add(1, Relaxed);
            return;
        };
        self.accepted.fetch_add(1, Relaxed);
        if let Some(ticket) = ticket {
            clients.follow(&key, ticket).await;
            self.known.fetch_add(1, Relaxed);
        }
    }
}

impl Console {
    /// Starts a spike; the error is a message for the user.
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
        let mut clients = spike.send(&self.system.api).await;
        spike.stage.store(1, Relaxed);
        let mut ticks = interval(Duration::from_millis(500));
        let drained = async {
            loop {
                ticks.tick().await;
                let depth = self.sqs.depth(&self.system.queue);
                let is_drained = depth.visible + depth.in_flight + depth.delayed == 0;
                // By then the next spike's limit applies, not both.
                let is_replaced = !self.spike().as_ref().is_some_and(|s| Arc::ptr_eq(s, spike));
                if is_drained || is_replaced {
                    return;
                }
            }
        };
        drop(timeout(DRAIN, drained).await);
        spike.stage.store(2, Relaxed);
        self.faults.lift(limit);
        let drained = async { while clients.join_next().await.is_some() {} };
        drop(timeout(DRAIN, drained).await);
    }

    /// Sets a stock for the spike's articles that no spike uses up.
    fn stock_up(&self) -> Result<(), String> {
        (1..=ARTICLES).try_for_each(|n| {
            let row = kit::row_of(&format!("spike-{n}"), IN_STOCK);
            let put = PutItemRequest {
                table_name: self.system.articles.clone(),
                item: serde_json::from_value(row).expect("a row is an item"),
                ..PutItemRequest::default()
            };
            let put = self.database.put_item(put);
            put.map(drop)
                .map_err(|error| format!("The spike's articles can't be stocked: {error}."))
        })
    }
}

/// An order for one of the spike's articles, with unequal demand.
fn order(chance: &mut Rng) -> String {
    let article = 1 + chance.usize(..ARTICLES).min(chance.usize(..ARTICLES));
    kit::document_of(&[(&format!("spike-{article}"), chance.u64(1..=3))]).to_string()
}
