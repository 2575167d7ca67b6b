//! A run's settings: the load, the stack, and the faults. A seed stands for one; `draw` says
//! which.

mod draw;

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Chance in the run goes by it, and so do the orders.
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
    /// The lines of an order, each of another article.
    pub lines: RangeInclusive<usize>,
    pub articles: usize,
    /// The n-th article is wanted 1/n as often as the first, instead of all alike.
    pub zipf: bool,
    /// Every other article has half of what is wanted of it, instead of plenty.
    pub scarce: bool,
    /// The orders arrive evenly over so long.
    pub over: Duration,
    /// The share of messages that are sent twice.
    pub twice: f64,
    /// The share of orders whose id another order has, too: a key that was used twice.
    pub other: f64,
    /// Messages that are no order.
    pub poison: usize,
    /// Messages of a later version, which this worker doesn't know.
    pub later: usize,
    /// Articles whose stock is no number, the last ones. No order for them can be written.
    pub broken: usize,
    /// An article that some orders want is added after so long, if at all.
    pub added: Option<Duration>,
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
    /// From a batch's end until the worker's next one starts.
    pub turnaround: Duration,
    /// The function's time-out.
    pub timeout: Duration,
    /// The queue's visibility timeout.
    pub visibility: Duration,
    /// `maxReceiveCount`
    pub max_receives: u32,
    /// `RETRY_BASE_SECONDS`
    pub retry_base: Duration,
    /// Outcomes are told on an event bus.
    pub bus: bool,
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
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The time that a write takes; a transaction holds its items for so long.
    pub latency: Duration,
    /// The write units a second of both tables together, if there is a limit.
    pub units: Option<u32>,
    /// Unused units are kept for so long.
    pub burst: Duration,
    /// A partition takes its share of the units. Without a limit there is one.
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

/// The faults of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weather {
    /// Faults of chance end after so long.
    pub ends: Duration,
    /// The chance of each fault, each time that it can strike.
    pub rates: BTreeMap<Fault, f64>,
    pub outages: Vec<Outage>,
}

/// A fault that strikes by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A write is refused with `ThrottlingException`.
    Throttled,
    /// A transaction is cancelled, and one of its items throttled.
    ItemThrottled,
    /// A transaction is cancelled, and one of its items in conflict.
    Conflict,
    /// A transaction is refused as one that is still in progress.
    InProgress,
    /// A write is refused with 500.
    Internal,
    /// A write is done, and the connection cut before the answer.
    CutOff,
    /// A write never arrives, and is never answered.
    Hung,
    /// A write arrives up to 20 s late, and is never answered.
    Late,
    /// A write is answered up to 3 s late.
    Slow,
    /// A transaction of more than one order is refused as malformed, sometimes with 413.
    TooLarge,
    /// A change of visibility is refused.
    VisibilityRefused,
    /// A message stays visible while it is delivered.
    DeliveredTwice,
    /// A message comes back within 3 s, while its worker may still have it.
    BackEarly,
    /// A worker is killed at an await.
    KilledAtAwait,
    /// A worker is killed at some moment of its time.
    Killed,
    /// A worker's clock is wrong by up to a minute.
    ClockWrong,
    /// A worker ends before it has looked at its batch.
    CannotStart,
    /// A call to the event bus is refused with 500.
    BusDown,
    /// A call to the event bus is throttled.
    BusThrottled,
    /// The event bus refuses one event of a call.
    EventRefused,
}

impl Fault {
    /// Faults of a stack without an event bus.
    pub const ALL: [Self; 15] = [
        Self::Throttled,
        Self::ItemThrottled,
        Self::Conflict,
        Self::InProgress,
        Self::Internal,
        Self::CutOff,
        Self::Hung,
        Self::Late,
        Self::Slow,
        Self::TooLarge,
        Self::VisibilityRefused,
        Self::DeliveredTwice,
        Self::KilledAtAwait,
        Self::Killed,
        Self::ClockWrong,
    ];

    /// Faults of the event bus alone. `ALL` has slow and lost answers.
    pub const BUS: [Self; 3] = [Self::BusDown, Self::BusThrottled, Self::EventRefused];
}

/// A time in which the tables write nothing, or the event bus takes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// The outage's start, counted from the start of the run.
    pub from: Duration,
    /// The outage's end, counted from the start of the run.
    pub until: Duration,
    pub kind: OutageKind,
}

/// The answer in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageKind {
    /// They answer 500.
    Down,
    /// They throttle.
    Throttled,
    /// They throttle the items of one partition alone: of every eighth article.
    HotPartition,
    /// They don't answer.
    Silent,
    /// The event bus answers 500.
    BusDown,
    /// The event bus throttles.
    BusThrottled,
    /// The event bus doesn't answer.
    BusSilent,
}

impl Weather {
    /// True if no fault strikes that an order could be failed for.
    pub fn is_fair(&self) -> bool {
        self.rates.is_empty()
    }

    /// The time at which all faults are over.
    pub fn over(&self) -> Duration {
        let outages = self.outages.iter().map(|outage| outage.until);
        let chance = (!self.rates.is_empty()).then_some(self.ends);
        outages.chain(chance).max().unwrap_or_default()
    }
}

impl Case {
    /// True if nothing goes wrong, and the tables need less than ten minutes for all orders: then load alone must not
    /// use up receives.
    pub fn is_calm(&self) -> bool {
        self.weather.over().is_zero()
            && self.load.broken + self.load.poison + self.load.later == 0
            && self.work() < Duration::from_mins(10)
    }

    /// True if no order may be dead: only faults of chance can fail an order for good.
    pub fn must_lose_nothing(&self) -> bool {
        self.weather.rates.is_empty()
    }

    /// The least time, about, that the tables take for all orders.
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
