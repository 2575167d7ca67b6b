//! A run's settings: the load, the stack, and the faults. `draw` derives them from a seed.

mod draw;
mod weather;

use crate::clock;
use events::Timestamp;
use std::{ops::RangeInclusive, time::Duration};
pub use weather::{Fault, Outage, OutageKind, Weather};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Seeds all randomness in the run, and the orders.
    pub seed: u64,
    pub load: Load,
    pub stack: Stack,
    pub table: Table,
    pub weather: Weather,
}

/// The messages that arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub orders: usize,
    /// The number of lines in an order, each for a different article.
    pub lines: RangeInclusive<usize>,
    pub articles: usize,
    /// The n-th article is wanted 1/n as often as the first; otherwise all equally.
    pub zipf: bool,
    /// Every other article has half of the stock that is wanted; otherwise all have plenty.
    pub scarce: bool,
    /// The time over which the orders arrive, evenly.
    pub over: Duration,
    /// The share of messages that are sent twice.
    pub twice: f64,
    /// The share of orders whose id another order also has: a key that was used twice.
    pub other: f64,
    /// Messages that are not orders.
    pub poison: usize,
    /// Messages of a later version, which this worker doesn't know.
    pub later: usize,
    /// The number of articles whose stock isn't a number, the last ones. No order for them can be written.
    pub broken: usize,
    /// The time after which an article that some orders want is added, if at all.
    pub added: Option<Duration>,
    /// Messages of the same orders that arrive long after.
    pub copies: Option<Copies>,
}

/// Messages that arrive long after their orders were settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copies {
    /// The share of orders that have one.
    pub share: f64,
    /// The client retries under the same key within this time of the order; `None`: the copy is identical.
    pub retried: Option<Duration>,
    /// A copy is delivered within this time of its acceptance. SQS keeps a message for at most 14 days.
    pub delayed: Duration,
}

impl Copies {
    /// The time after an order by which all of its copies are delivered.
    pub fn last(&self) -> Duration {
        self.retried.unwrap_or_default() + self.delayed
    }
}

impl Load {
    /// Orders that all arrive at once, with plenty of stock and no bad ones among them.
    pub fn of(orders: usize, lines: usize, articles: usize) -> Self {
        Self {
            orders,
            lines: lines..=lines,
            articles,
            zipf: false,
            scarce: false,
            over: Duration::ZERO,
            twice: 0.0,
            other: 0.0,
            poison: 0,
            later: 0,
            broken: 0,
            added: None,
            copies: None,
        }
    }
}

/// The queue and the workers. The defaults are the template's.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// `MaximumConcurrency`
    pub workers: usize,
    /// `BatchSize`
    pub batch: usize,
    /// `MaximumBatchingWindowInSeconds`
    pub window: Duration,
    /// The time from a batch's end until the worker's next one starts.
    pub turnaround: Duration,
    /// The function's time-out.
    pub timeout: Duration,
    /// The queue's visibility timeout.
    pub visibility: Duration,
    /// `maxReceiveCount`
    pub max_receives: u32,
    /// `RETRY_BASE_SECONDS`
    pub retry_base: Duration,
    /// Whether outcomes are published on an event bus.
    pub bus: bool,
    /// A `failed` row reads `queued` until it has this age: `status` gets the function's time-out.
    pub failed_after: Duration,
    /// `KeepDays`: how long an order's row is kept at least; `None`: forever.
    pub keep: Option<Duration>,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            workers: 10,
            batch: 50,
            window: Duration::from_secs(1),
            turnaround: Duration::from_millis(15),
            timeout: Duration::from_secs(150),
            visibility: Duration::from_secs(185),
            max_receives: 25,
            retry_base: Duration::from_secs(5),
            bus: false,
            failed_after: Duration::from_secs(150),
            keep: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The time that a write takes; a transaction holds its items for that time.
    pub latency: Duration,
    /// The write units per second of both tables together, if there is a limit.
    pub units: Option<u32>,
    /// How long unused units are kept.
    pub burst: Duration,
    /// The number of partitions, each with its share of the units. Without a limit there is one.
    pub partitions: u32,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(20),
            units: None,
            burst: Duration::from_secs(1),
            partitions: 1,
        }
    }
}

impl Case {
    /// Whether there are no faults, and the tables need less than ten minutes for all orders: then load alone must not use up
    /// receives.
    pub fn is_calm(&self) -> bool {
        // A transaction waits for the partition with the fewest units left: with seed 3100 that doubles the time.
        let slowest = self.table.partitions.min(2);
        self.weather.over().is_zero()
            && self.has_default_receives()
            && self.load.broken + self.load.poison + self.load.later == 0
            && self.work() * slowest < Duration::from_mins(10)
    }

    /// Whether no order may end as a dead letter: only random faults, or fewer receives than the template's, can fail an order
    /// for good.
    pub fn must_lose_nothing(&self) -> bool {
        self.weather.is_fair() && self.has_default_receives()
    }

    fn has_default_receives(&self) -> bool {
        self.stack.max_receives >= Stack::default().max_receives
    }

    /// The settings of a worker from before the last deployment: it publishes nothing, its rows never expire, and it takes an
    /// earlier delivery for the last.
    pub fn old_stack(&self) -> Stack {
        Stack {
            bus: false,
            keep: None,
            max_receives: self.stack.max_receives.min(10),
            retry_base: Duration::from_secs(1),
            ..self.stack.clone()
        }
    }

    /// Whether a worker whose clock is wrong may refuse an order that was placed then as older than `KeepDays`.
    pub fn may_be_too_old(&self, placed_at: Timestamp) -> bool {
        let age = placed_at.until(clock::now().into()) + self.weather.clocks;
        self.stack.keep.is_some_and(|keep| age >= keep)
    }

    /// The least time, roughly, that the tables need for all orders.
    pub fn work(&self) -> Duration {
        let orders = f64::from(u32::try_from(self.load.orders).unwrap_or(u32::MAX));
        let lines = f64::from(u32::try_from(*self.load.lines.end()).unwrap_or(u32::MAX));
        let units = orders * (2.0 * (1.0 + lines / 12.0).ceil() + 2.0 * lines);
        let by_units = self
            .table
            .units
            .map_or(0.0, |limit| units / f64::from(limit));
        let transactions = orders * (1.0 + lines) / 50.0;
        Duration::from_secs_f64(by_units) + self.table.latency.mul_f64(transactions)
    }
}
