//! Simulates a table with a latency, a write capacity and transaction conflicts.

use local::faults::{Call, Fault};
use serde_dynamo::Item;
use serde_json::{Value, json};
use sim::units;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The access key of the spike's own calls, which use no capacity.
pub const OPERATOR: &str = "operator";

/// Decides on each call to the tables of one run.
#[derive(Debug)]
pub struct Table {
    latency: Duration,
    /// Write units a second.
    ceiling: f64,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The units available now: at most those of one second.
    units: f64,
    filled: Instant,
    /// Items of transactions in flight by table and key, each with the end of its transaction.
    held: HashMap<String, Instant>,
    seen: Seen,
}

/// What the table saw of a run.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// All attempts, in sequence of arrival.
    pub attempts: Vec<Attempt>,
    /// The time of each order's last write, by id.
    pub written: HashMap<String, Duration>,
}

/// An attempt to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Time from the start.
    pub at: Duration,
    pub fate: Fate,
    /// Items, orders and articles.
    pub items: u32,
    /// The write units that it uses if it is accepted.
    pub units: u64,
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The table accepted it, to succeed or to fail by its own conditions.
    Taken,
    /// The table had no units left.
    Throttled,
    /// Another transaction held one of its items.
    Conflict,
}

impl Table {
    /// Makes tables that take `latency` for a write, and `ceiling` write units per second together.
    pub fn new(latency: Duration, ceiling: u32, start: Instant) -> Self {
        Self {
            latency,
            ceiling: ceiling.into(),
            start,
            state: Mutex::new(State {
                units: ceiling.into(),
                filled: start,
                held: HashMap::new(),
                seen: Seen::default(),
            }),
        }
    }

    /// Decides on a call that arrives now.
    pub fn judge(&self, call: &Call) -> Option<Fault> {
        if call.caller == OPERATOR {
            return None;
        }
        let request: Value = match call.operation {
            "TransactWriteItems" | "PutItem" => serde_json::from_slice(call.body).ok()?,
            _ => return None,
        };
        Some(self.judge_at(Instant::now(), &Write::of(&request)))
    }

    fn judge_at(&self, now: Instant, write: &Write) -> Fault {
        let mut state = self.state();
        let State {
            units,
            filled,
            held,
            seen,
        } = &mut *state;
        let passed = now.saturating_duration_since(*filled).as_secs_f64();
        *units = (*units + passed * self.ceiling).min(self.ceiling);
        *filled = now;
        held.retain(|_, until| *until > now);
        #[expect(clippy::cast_precision_loss)]
        let cost = write.units as f64;
        let at = now.saturating_duration_since(self.start);
        let reasons: Vec<_> = write
            .keys
            .iter()
            .map(|key| held.contains_key(key))
            .collect();
        let (fate, fault) = if *units < cost.min(self.ceiling) {
            let message = "The level of configured provisioned throughput was exceeded.";
            let code = "ProvisionedThroughputExceededException";
            (Fate::Throttled, Fault::refuse(400, code, message))
        } else if reasons.contains(&true) {
            let reasons = reasons.iter().map(
                |conflict| json!({"Code": if *conflict { "TransactionConflict" } else { "None" }}),
            );
            (Fate::Conflict, Fault::cancel(&reasons.collect()))
        } else {
            *units -= cost;
            let until = now + self.latency;
            held.extend(write.keys.iter().map(|key| (key.clone(), until)));
            seen.written.extend(
                write
                    .orders
                    .iter()
                    .map(|id| (id.clone(), at + self.latency)),
            );
            (Fate::Taken, Fault::Slow(self.latency))
        };
        seen.attempts.push(Attempt {
            at,
            fate,
            items: u32::try_from(write.keys.len()).unwrap_or(u32::MAX),
            units: write.units,
        });
        fault
    }

    /// Counts the orders that have been written so far.
    pub fn written(&self) -> usize {
        self.state().seen.written.len()
    }

    /// Returns what the table saw of the run so far.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writes of a call.
#[derive(Debug, Default)]
struct Write {
    keys: Vec<String>,
    orders: Vec<String>,
    units: u64,
}

impl Write {
    fn of(request: &Value) -> Self {
        let mut write = Self::default();
        let mut put = |put: &Value, transactional: bool| {
            let id = put["Item"]["id"]["S"].as_str().unwrap_or_default();
            write.keys.push(format!("{}/{id}", put["TableName"]));
            write.orders.push(id.to_owned());
            let item: Item = serde_json::from_value(put["Item"].clone()).unwrap_or_default();
            let of = if transactional {
                units::in_transaction
            } else {
                units::alone
            };
            write.units += of(&item);
        };
        let Some(actions) = request["TransactItems"].as_array() else {
            put(request, false);
            return write;
        };
        for action in actions {
            if action["Put"].is_object() {
                put(&action["Put"], true);
            }
        }
        for update in actions.iter().map(|action| &action["Update"]) {
            if update.is_object() {
                write
                    .keys
                    .push(format!("{}/{}", update["TableName"], update["Key"]));
                // An article's row is far smaller than a KiB.
                write.units += 2;
            }
        }
        write
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::order::kit;

    fn transaction(orders: &[&str], article: &str) -> Value {
        let puts = orders
            .iter()
            .map(|id| json!({"Put": {"TableName": "O", "Item": {"id": {"S": id}}}}));
        let update = json!({"Update": {"TableName": "A", "Key": kit::request_of(article)}});
        json!({"TransactItems": puts.chain([update]).collect::<Value>()})
    }

    #[test]
    fn an_item_in_flight_is_in_the_way_and_units_run_out() {
        let start = Instant::now();
        let table = Table::new(Duration::from_millis(8), 10, start);
        let attempt = |ms, orders: &[&str], article| {
            let now = start + Duration::from_millis(ms);
            table.judge_at(now, &Write::of(&transaction(orders, article)));
            table.seen().attempts.last().map(|attempt| attempt.fate)
        };
        assert_eq!(attempt(0, &["1"], "a"), Some(Fate::Taken));
        assert_eq!(attempt(7, &["2"], "a"), Some(Fate::Conflict));
        assert_eq!(attempt(7, &["3"], "b"), Some(Fate::Taken));
        // Two writes have used 4 of the 10 units each; 10 ms have brought back only 0.1.
        assert_eq!(attempt(10, &["2"], "a"), Some(Fate::Throttled));
        assert_eq!(attempt(300, &["2"], "a"), Some(Fate::Taken));
        // A table at rest lets through more than ten at once.
        assert_eq!(
            attempt(2000, &["4", "5", "6", "7", "8", "9"], "a"),
            Some(Fate::Taken)
        );
        assert_eq!(table.written(), 9);
    }
}
