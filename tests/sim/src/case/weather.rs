//! The faults of a run.

use std::{collections::BTreeMap, time::Duration};

/// The faults of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weather {
    /// Random faults end after this time.
    pub ends: Duration,
    /// The probability of each fault, each time that it can strike.
    pub rates: BTreeMap<Fault, f64>,
    pub outages: Vec<Outage>,
    /// Each worker's time of day is wrong by at most this much, all the time.
    pub clocks: Duration,
}

/// A fault that strikes at random.
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
    /// A message remains visible while it is delivered.
    DeliveredTwice,
    /// A message comes back within 3 s, while its worker may still have it.
    BackEarly,
    /// A worker is killed at an await.
    KilledAtAwait,
    /// A worker is killed at some moment of its work.
    Killed,
    /// A worker believes that its time ends within a minute: the deadline is a time of day, and its clock is wrong.
    ClockWrong,
    /// A worker doesn't answer until Lambda's time-out, before or after it has done its work.
    WorkerHangs,
    /// A worker is of the version before the last deployment, [`Case::old_stack`](super::Case::old_stack).
    OldWorker,
    /// A message is received, counted and hidden, but no worker gets it.
    ReceivedInVain,
    /// The receive count jumps by two to four at once.
    CountJumps,
    /// A worker ends before it has read its batch.
    CannotStart,
    /// A call to the event bus is refused with 500.
    BusDown,
    /// A call to the event bus is throttled.
    BusThrottled,
    /// The event bus refuses one event of a call.
    EventRefused,
}

impl Fault {
    /// Faults of a stack without an event bus, except those that only few cases have.
    pub const ALL: [Self; 18] = [
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
        Self::WorkerHangs,
        Self::ReceivedInVain,
        Self::CountJumps,
    ];

    /// Faults of the event bus alone. `ALL` has slow and lost answers.
    pub const BUS: [Self; 3] = [Self::BusDown, Self::BusThrottled, Self::EventRefused];
}

/// A time in which the tables or the event bus accept nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// The outage's start, counted from the start of the run.
    pub from: Duration,
    /// The outage's end, counted from the start of the run.
    pub until: Duration,
    pub kind: OutageKind,
}

/// What the tables or the event bus do in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageKind {
    /// The tables answer 500.
    Down,
    /// The tables throttle.
    Throttled,
    /// The tables throttle the items of one partition alone: of every eighth article.
    HotPartition,
    /// The tables don't answer.
    Silent,
    /// The event bus answers 500.
    BusDown,
    /// The event bus throttles.
    BusThrottled,
    /// The event bus doesn't answer.
    BusSilent,
}

impl Outage {
    /// The outage's length.
    pub fn lasts(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

impl Weather {
    /// Whether no fault strikes that could fail an order.
    pub fn is_fair(&self) -> bool {
        self.rates.is_empty()
    }

    /// The time at which all faults have ended.
    pub fn over(&self) -> Duration {
        let outages = self.outages.iter().map(|outage| outage.until);
        let chance = (!self.rates.is_empty()).then_some(self.ends);
        outages.chain(chance).max().unwrap_or_default()
    }
}
