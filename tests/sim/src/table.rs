//! A model of the tables: their rows, and the writes under way. `refuse` decides on refusals.

mod reads;
mod refuse;
mod rows;

use crate::{
    answer::Answer,
    case::{Case, Fault, OutageKind},
    orders::Orders,
    request::{Action, Row},
    trace::Trace,
};
use reads::Reads;
use refuse::{Why, throttled};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// The tables.
#[derive(Debug)]
pub struct Tables {
    start: Instant,
    case: Case,
    /// The orders' rows.
    pub rows: BTreeMap<String, Row>,
    /// Rows that expired, and were then deleted or replaced.
    pub gone: Vec<Row>,
    /// What clients have read.
    pub reads: Reads,
    /// Orders that read `failed` at some time, each with the row's `processed_at`.
    pub failed: BTreeSet<(String, String)>,
    /// The articles' stock; `None`: not a number.
    pub stock: BTreeMap<String, Option<u64>>,
    /// Items that a write holds.
    held: HashMap<String, u64>,
    writes: u64,
    /// The units that each partition had left when they were last counted.
    left: Vec<f64>,
    counted: Instant,
    pub seen: Seen,
}

/// What the tables counted in a run.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Transactions that were written.
    pub taken: usize,
    /// Attempts that were throttled.
    pub throttled: usize,
    /// Attempts that conflicted with another.
    pub conflicts: usize,
    /// Attempts that failed for other reasons.
    pub others: usize,
    /// Write units of all that was written.
    pub units: f64,
    /// The times, from the start, at which orders got their outcome, with the number of orders.
    pub settled: Vec<(Duration, usize)>,
    /// The broken promises that were found.
    pub wrong: Vec<String>,
}

/// A hash that is the same in every run (FNV-1a).
fn fingerprint(text: &str) -> usize {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 16).unwrap_or_default()
}

/// A write that may proceed, and holds its items until it is done.
#[derive(Debug)]
pub struct Held {
    number: u64,
    actions: Vec<Action>,
}

impl Tables {
    /// The tables of a case, with the stock of its orders.
    pub fn new(case: &Case, orders: &Orders) -> Self {
        let start = Instant::now();
        let reads = Reads::new(case, orders);
        let mut tables = Self {
            start,
            rows: BTreeMap::new(),
            gone: Vec::new(),
            reads,
            failed: BTreeSet::new(),
            stock: orders.stock.clone(),
            held: HashMap::new(),
            writes: 0,
            left: Vec::new(),
            counted: start,
            seen: Seen::default(),
            case: case.clone(),
        };
        tables.left = vec![tables.capacity(); case.table.partitions as usize];
        tables
    }

    /// The units per second of a partition.
    fn rate(&self) -> f64 {
        let units = self.case.table.units.map_or(f64::INFINITY, f64::from);
        units / f64::from(self.case.table.partitions)
    }

    fn capacity(&self) -> f64 {
        self.rate() * self.case.table.burst.as_secs_f64()
    }

    /// Whether there is an outage of this kind now.
    pub fn is_out(&self, kind: OutageKind) -> bool {
        let now = self.start.elapsed();
        let outages = &self.case.weather.outages;
        outages
            .iter()
            .any(|outage| outage.kind == kind && (outage.from..outage.until).contains(&now))
    }

    /// Draws whether a random fault strikes now.
    pub fn strikes(&self, fault: Fault) -> bool {
        let weather = &self.case.weather;
        let rate = weather.rates.get(&fault).copied().unwrap_or_default();
        rate > 0.0 && self.start.elapsed() < weather.ends && fastrand::f64() < rate
    }

    /// Begins a transaction, or refuses it.
    pub fn begin(&mut self, actions: Vec<Action>, trace: &Trace) -> Result<Held, Answer> {
        self.sweep();
        let orders = actions
            .iter()
            .filter(|action| matches!(action, Action::Put(_)))
            .count();
        let refusal = self.refuse(orders);
        let refusal = refusal.or_else(|| self.throttle(&actions));
        let refusal = refusal.or_else(|| self.cancel(&actions));
        match refusal {
            Some((why, answer)) => {
                match why {
                    Why::Throttled => self.seen.throttled += 1,
                    Why::Conflict => self.seen.conflicts += 1,
                    Why::Other => self.seen.others += 1,
                }
                trace.say(|| format!("table: {orders} orders: {why:?} {}", answer.summary()));
                Err(answer)
            }
            None => Ok(self.hold(actions)),
        }
    }

    /// Begins a `PutItem`, or refuses it.
    pub fn begin_put(&mut self, row: Row, trace: &Trace) -> Result<Held, Answer> {
        self.sweep();
        let action = Action::Put(row);
        let refusal = self.refuse(1).map(|(_, answer)| answer);
        let refusal = refusal.or_else(|| {
            let (_, answer) = self.throttle(std::slice::from_ref(&action))?;
            // Alone, the item's throttling is the whole answer.
            Some(match answer {
                Answer::Error(_, _, _) => throttled(),
                other => other,
            })
        });
        let refusal = refusal.or_else(|| {
            if self.held.contains_key(&action.key()) {
                Some(Answer::error(400, "TransactionConflictException"))
            } else {
                self.condition(&action)?;
                Some(Answer::error(400, "ConditionalCheckFailedException"))
            }
        });
        match refusal {
            Some(answer) => {
                trace.say(|| format!("table: a put of {}: {}", action.key(), answer.summary()));
                Err(answer)
            }
            None => Ok(self.hold(vec![action])),
        }
    }

    /// Finishes a write that was begun.
    pub fn write(&mut self, held: Held, trace: &Trace) {
        self.held.retain(|_, number| *number != held.number);
        let (now, mut settled) = (self.start.elapsed(), 0);
        if held.actions.len() > 1
            || matches!(&held.actions[0], Action::Put(row) if row.status != "failed")
        {
            self.seen.taken += 1;
        }
        for action in held.actions {
            self.seen.units += action.units();
            match action {
                Action::Put(row) => {
                    trace.say(|| format!("table: {} is {}", row.id, row.status));
                    settled += usize::from(row.status != "failed");
                    self.put_row(row);
                }
                Action::Take { key, amount } => {
                    let stock = self.stock.get_mut(&key).and_then(Option::as_mut);
                    match stock.and_then(|stock| Some((stock.checked_sub(amount)?, stock))) {
                        Some((left, stock)) => *stock = left,
                        None => self.seen.wrong.push(format!("{key} is oversold")),
                    }
                }
            }
        }
        if settled > 0 {
            self.seen.settled.push((now, settled));
        }
    }

    fn hold(&mut self, actions: Vec<Action>) -> Held {
        self.writes += 1;
        let keys = actions.iter().map(|action| (action.key(), self.writes));
        self.held.extend(keys);
        Held {
            number: self.writes,
            actions,
        }
    }
}
