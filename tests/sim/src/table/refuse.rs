//! Decides whether the tables accept a write, and makes their refusal.

use super::{Tables, fingerprint};
use crate::{
    answer::Answer,
    case::{Fault, OutageKind},
    request::Action,
};
use events::order::kit;
use serde_json::{Value, json};
use tokio::time::Instant;

impl Tables {
    /// Strikes faults that don't depend on the items.
    pub(super) fn refuse(&self, orders: usize) -> Option<(Why, Answer)> {
        if self.is_out(OutageKind::Throttled) || self.strikes(Fault::Throttled) {
            return Some((Why::Throttled, throttled()));
        }
        if self.is_out(OutageKind::Down) || self.strikes(Fault::Internal) {
            return Some((Why::Other, Answer::error(500, "InternalServerError")));
        }
        if self.strikes(Fault::InProgress) {
            let answer = Answer::error(400, "TransactionInProgressException");
            return Some((Why::Other, answer));
        }
        if orders > 1 && self.strikes(Fault::TooLarge) {
            let answer = if fastrand::bool() {
                Answer::error(400, "ValidationException")
            } else {
                Answer::error(413, "RequestTooLarge")
            };
            return Some((Why::Other, answer));
        }
        None
    }

    /// Throttles an item that has no units left, and with it the whole transaction, at no cost.
    pub(super) fn throttle(&mut self, actions: &[Action]) -> Option<(Why, Answer)> {
        let passed = self.counted.elapsed().as_secs_f64();
        self.counted = Instant::now();
        let (rate, capacity) = (self.rate(), self.capacity());
        let mut costs = vec![0.0; self.left.len()];
        let partitions = self.left.len();
        let partition = |action: &Action| fingerprint(&action.key()) % partitions;
        for action in actions {
            costs[partition(action)] += action.units();
        }
        let hot = self.is_out(OutageKind::HotPartition);
        let struck = self
            .strikes(Fault::ItemThrottled)
            .then(|| fastrand::usize(..actions.len()));
        let is_hot = |action: &Action| {
            hot && matches!(action, Action::Take { key, .. } if fingerprint(key).is_multiple_of(8))
        };
        if self.case.table.units.is_some() {
            for left in &mut self.left {
                *left = (*left + passed * rate).min(capacity);
            }
        }
        // A table at rest accepts even a write that costs more units than it has.
        let lacks: Vec<_> = self
            .left
            .iter()
            .zip(&costs)
            .map(|(left, cost)| *left < cost.min(capacity))
            .collect();
        let reasons: Vec<_> = actions
            .iter()
            .enumerate()
            .map(|(n, action)| {
                let throttled = lacks[partition(action)] || is_hot(action) || struck == Some(n);
                throttled.then(|| json!({"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity"}))
            })
            .collect();
        if reasons.iter().all(Option::is_none) {
            if self.case.table.units.is_some() {
                for (left, cost) in self.left.iter_mut().zip(costs) {
                    *left -= cost;
                }
            }
            return None;
        }
        // DynamoDB reports the error for the whole transaction or for an item.
        let answer = if reasons.iter().all(Option::is_some) && fastrand::bool() {
            throttled()
        } else {
            Answer::cancelled(reasons)
        };
        Some((Why::Throttled, answer))
    }

    /// Checks for conflicts and failed conditions, with one reason per action.
    pub(super) fn cancel(&self, actions: &[Action]) -> Option<(Why, Answer)> {
        let struck = self
            .strikes(Fault::Conflict)
            .then(|| fastrand::usize(..actions.len()));
        let mut conflict = false;
        let reasons: Vec<_> = actions
            .iter()
            .enumerate()
            .map(|(n, action)| {
                if struck == Some(n) || self.held.contains_key(&action.key()) {
                    conflict = true;
                    return Some(json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}));
                }
                self.condition(action)
            })
            .collect();
        let why = if conflict { Why::Conflict } else { Why::Other };
        let any = reasons.iter().any(Option::is_some);
        any.then(|| (why, Answer::cancelled(reasons)))
    }

    /// Returns the reason if an action's condition fails.
    pub(super) fn condition(&self, action: &Action) -> Option<Value> {
        let failed = |item: Value| json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item});
        match action {
            Action::Put(row) => {
                let before = self.rows.get(&row.id)?;
                (!row.may_replace(before)).then(|| failed(json!(before.item)))
            }
            Action::Take { key, amount } => match self.stock.get(key) {
                Some(Some(left)) if left >= amount => None,
                Some(Some(left)) => Some(failed(kit::row_of(key, *left))),
                Some(None) => Some(failed(kit::broken_row_of(key))),
                None => Some(
                    json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}),
                ),
            },
        }
    }
}

/// Why an attempt was refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    /// The tables were overloaded.
    Throttled,
    /// Another write was in progress.
    Conflict,
    /// Anything else.
    Other,
}

pub(super) fn throttled() -> Answer {
    if fastrand::bool() {
        Answer::error(400, "ThrottlingException")
    } else {
        Answer::error(400, "ProvisionedThroughputExceededException")
    }
}
