//! A table of orders in memory.

use super::{Answer, refused};
use events::order::kit;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A fault of a call.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The call succeeds.
    None,
    /// The call is throttled.
    Throttled,
    /// The call is executed, but its answer is lost.
    Lost,
}

/// A table that keeps rows and evaluates the conditions of puts.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows, by order id.
    pub by_id: BTreeMap<String, Value>,
    /// The faults of the first calls, in sequence. Later calls succeed.
    pub faults: Vec<Fault>,
    /// A key whose row can't be written.
    pub broken: Option<&'static str>,
    /// The number of transactions that arrived.
    pub transactions: usize,
}

impl Rows {
    /// Answers a call.
    pub fn answer(&mut self, call: &str, body: &Value) -> Option<Answer> {
        let fault = self.faults.pop().unwrap_or(Fault::None);
        if matches!(fault, Fault::Throttled) {
            return Some(refused(400, "ThrottlingException"));
        }
        let answer = match call {
            "TransactWriteItems" => {
                self.transactions += 1;
                self.transact(body["TransactItems"].as_array().expect("actions"))
            }
            "PutItem" => {
                let is_there = self.put(body).is_some();
                is_there.then(|| refused(400, "ConditionalCheckFailedException"))
            }
            _ => None,
        };
        match fault {
            Fault::Lost => Some(refused(500, "InternalServerError")),
            _ => answer,
        }
    }

    fn transact(&mut self, actions: &[Value]) -> Option<Answer> {
        let before = self.by_id.clone();
        let reasons = actions.iter().map(|action| {
            let put = &action["Put"];
            if put.is_null() {
                let is_broken = self.broken == kit::key_of(&action["Update"]["Key"]);
                return json!({"Code": if is_broken { "ValidationError" } else { "None" }});
            }
            match self.put(put) {
                Some(row) => json!({"Code": "ConditionalCheckFailed", "Item": row}),
                None => json!({"Code": "None"}),
            }
        });
        let reasons: Vec<_> = reasons.collect();
        if reasons.iter().all(|reason| reason["Code"] == "None") {
            return None;
        }
        self.by_id = before;
        let body =
            json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
        Some((400, body))
    }

    /// Puts a row, or returns the one that is in the way.
    fn put(&mut self, put: &Value) -> Option<Value> {
        let (new, id) = (
            &put["Item"],
            put["Item"]["id"]["S"].as_str().expect("an id"),
        );
        if let Some(row) = self.by_id.get(id) {
            let values = &put["ExpressionAttributeValues"];
            let has = |part| put["ConditionExpression"].to_string().contains(part);
            let is_own = values[":mine"] == row["fingerprint"] && has("fingerprint = :mine");
            let number = |value: &Value| value["N"].as_str()?.parse::<i64>().ok();
            let is_expired = number(&row["expires_at"]).zip(number(&values[":now"]));
            let is_expired =
                is_expired.is_some_and(|(at, now)| at < now) && has("expires_at < :now");
            if !is_expired && (row["status"]["S"] != "failed" || !is_own) {
                return Some(row.clone());
            }
        }
        self.by_id.insert(id.to_owned(), new.clone());
        None
    }
}
