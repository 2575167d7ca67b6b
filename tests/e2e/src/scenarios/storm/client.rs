//! A client: sends its orders, and retries them when it must.

use super::{
    ledger::Ledger,
    market::{Market, PLENTY, named},
};
use crate::{api::Api, reply::Reply, stack::Stack};
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The tag of an order that must fail.
pub const DOOMED: &str = "doomed";

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a client keeps trying to get an order accepted.
const STUBBORNNESS: Duration = Duration::from_mins(3);

/// Maximum number of orders that a client sends in one request.
const MOST_AT_ONCE: usize = 12;

/// One of the shop's clients.
pub struct Client<'a> {
    name: String,
    api: Api,
    market: &'a Market,
    ledger: &'a Ledger,
    chance: Rng,
}

impl<'a> Client<'a> {
    /// Makes the n-th client.
    pub fn new(n: usize, seed: u64, stack: &Stack, market: &'a Market, ledger: &'a Ledger) -> Self {
        let name = format!("client-{n:02}");
        Client {
            api: stack.api.with_key(Some(&name)),
            name,
            market,
            ledger,
            chance: Rng::with_seed(seed.wrapping_mul(1000) + n as u64),
        }
    }

    /// Sends this many orders, over about this time.
    pub async fn rain(&mut self, orders: usize, over: Duration) -> Result<()> {
        let pace = over / u32::try_from(orders.max(1))?;
        for n in 0..orders {
            // Pauses as people do; half of the pauses are shorter.
            sleep(pace.mul_f64(self.chance.f64() * 2.0)).await;
            let tag = format!("{}-{n}", self.name);
            let order = self.market.order(&tag, &mut self.chance);
            let number = self.ledger.enter(&self.name, &order, false)?;
            let has_key = self.chance.u8(..100) < 85;
            let key = has_key.then(|| format!("{}/{n}", self.name));
            let id = self.place((number, 0), &order, key.as_deref()).await?;
            match (key, self.chance.u8(..100)) {
                (Some(key), 0..10) => drop(self.place((number, 0), &order, Some(&key)).await?),
                (Some(key), 10..15) => {
                    let other = self.market.order(&format!("{tag}-other"), &mut self.chance);
                    let which = self.ledger.enter_other(number, &other)?;
                    self.place((number, which), &other, Some(&key)).await?;
                }
                (_, 15..25) => self.ask(id.as_deref()).await,
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends this many orders, over about this time, several in a request.
    pub async fn rain_in_batches(&mut self, orders: usize, over: Duration) -> Result<()> {
        let pace = over / u32::try_from(orders.max(1))?;
        let mut n = 0;
        while n < orders {
            let count = self.chance.usize(1..=MOST_AT_ONCE).min(orders - n);
            sleep((pace * u32::try_from(count)?).mul_f64(self.chance.f64() * 2.0)).await;
            let (mut numbers, mut entries) = (Vec::new(), Vec::new());
            for n in n..n + count {
                let order = self
                    .market
                    .order(&format!("{}-{n}", self.name), &mut self.chance);
                numbers.push(self.ledger.enter(&self.name, &order, false)?);
                let key = format!("{}/{n}", self.name);
                entries.push(json!({"order": order, "idempotency_key": key}));
            }
            n += count;
            self.place_batch(&numbers, &entries).await?;
        }
        Ok(())
    }

    /// Sends a batch unchanged until all of it is accepted.
    async fn place_batch(&mut self, numbers: &[usize], entries: &[Value]) -> Result<()> {
        let start = Instant::now();
        loop {
            let reply = timeout(PATIENCE, self.api.post_batch(entries)).await;
            let reply = reply.ok().and_then(Result::ok);
            self.ledger.answered("POST batch", reply.as_ref());
            let results = reply.as_ref().and_then(|reply| reply.results().ok());
            let results = results.unwrap_or_default();
            let ids = results.iter().map(|result| result["id"].as_str());
            let ids: Vec<_> = ids.collect();
            for (number, id) in numbers.iter().zip(&ids) {
                if let Some(id) = id {
                    self.ledger.accepted(*number, id);
                }
            }
            if ids.len() == entries.len() && ids.iter().all(Option::is_some) {
                return Ok(());
            }
            ensure!(
                start.elapsed() < STUBBORNNESS,
                "a batch is never accepted whole: {reply:?}"
            );
            self.wait(reply.as_ref()).await?;
        }
    }

    /// Sends an order that must fail.
    pub async fn doomed_order(&mut self) -> Result<()> {
        let order = named(&[(PLENTY, 1)], &self.doomed_tag());
        let number = self.ledger.enter(&self.name, &order, true)?;
        let key = self.doomed_tag();
        self.place((number, 0), &order, Some(&key)).await?;
        Ok(())
    }

    /// Sends another order with the key of the doomed one.
    pub async fn other_order_for_the_doomed(&mut self) -> Result<()> {
        let order = named(&[(PLENTY, 7)], &format!("{}-other", self.name));
        let sent = self.ledger.sent();
        let doomed = sent
            .iter()
            .position(|sent| sent.doomed && sent.client == self.name);
        let number = doomed.context("nothing of this client's is doomed")?;
        let which = self.ledger.enter_other(number, &order)?;
        let key = self.doomed_tag();
        self.place((number, which), &order, Some(&key)).await?;
        Ok(())
    }

    fn doomed_tag(&self) -> String {
        format!("{DOOMED}-{}", self.name)
    }

    /// Sends an order, by its number and its index among those with its key, until it is accepted. An order without a key is
    /// sent only once, because each send would be another order.
    async fn place(
        &mut self,
        order_number: (usize, usize),
        order: &Value,
        key: Option<&str>,
    ) -> Result<Option<String>> {
        let start = Instant::now();
        loop {
            let reply = timeout(PATIENCE, self.api.post(order, key)).await;
            let reply = reply.ok().and_then(Result::ok);
            self.ledger.answered("POST", reply.as_ref());
            if let Some(reply) = reply.as_ref().filter(|reply| reply.status == 202) {
                let id = reply.json()?["id"]
                    .as_str()
                    .context("a 202 without an id")?
                    .to_owned();
                self.ledger.accepted(order_number.0, &id);
                let location = reply
                    .header("location")
                    .context("a 202 without a location")?;
                self.ledger.located(order_number, location);
                return Ok(Some(id));
            }
            if key.is_none() {
                return Ok(None);
            }
            ensure!(
                start.elapsed() < STUBBORNNESS,
                "{order} is never accepted: {reply:?}"
            );
            self.wait(reply.as_ref()).await?;
        }
    }

    /// Waits a tenth of what the answer says, or of two seconds: time is compressed. The orders are valid, so an answer that
    /// finds fault with one is not worth a retry.
    async fn wait(&mut self, reply: Option<&Reply>) -> Result<()> {
        if let Some(reply) = reply {
            let refused = reply.results().unwrap_or_default();
            let refused = refused
                .iter()
                .filter_map(|result| result["status"].as_u64());
            for status in refused.chain([u64::from(reply.status.as_u16())]) {
                ensure!(
                    !(400..500).contains(&status) || status == 429,
                    "a valid order is refused: {reply:?}"
                );
            }
        }
        let header = reply.and_then(|reply| reply.header("retry-after")?.parse().ok());
        let seconds: u64 = header.unwrap_or(2);
        let jitter = 0.5 + self.chance.f64();
        sleep(Duration::from_secs(seconds).div_f64(10.0).mul_f64(jitter)).await;
        Ok(())
    }

    /// Reads an order. Whatever else goes wrong, an id that was issued exists.
    async fn ask(&self, id: Option<&str>) {
        if let Some(id) = id {
            let reply = timeout(PATIENCE, self.api.get(id)).await;
            self.ledger
                .answered("GET", reply.ok().and_then(Result::ok).as_ref());
        }
    }
}
