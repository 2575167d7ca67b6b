//! The requests that `process` makes of DynamoDB. The model panics at any other request.

use crate::units;
use events::{Timestamp, order::kit};
use process::stock::reserve;
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item};
use std::collections::BTreeMap;

/// The name of the orders' table.
pub const ORDERS: &str = "orders";
/// The name of the articles' table.
pub const ARTICLES: &str = "articles";

/// The maximum number of actions in a transaction.
const MOST_ACTIONS: usize = 100;
/// The maximum number of bytes in a transaction.
const MOST_BYTES: usize = 4 << 20;

/// A conditional write of an item.
#[derive(Debug, Clone)]
pub enum Action {
    /// Puts an order's row.
    Put(Row),
    /// Takes what an order claims.
    Take {
        /// Of this key.
        key: String,
        /// This much.
        amount: u64,
    },
}

/// An order's row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The whole item.
    pub item: Item,
    /// The order's id.
    pub id: String,
    /// `confirmed`, `rejected`, `failed`
    pub status: String,
    /// The order's fingerprint.
    pub fingerprint: String,
    /// Whether it may replace a `failed` row of the same order.
    pub replaces_failed: bool,
    /// The second before which a row must have expired to be replaced, if the worker knows of rows that expire.
    pub replaces_expired: Option<u64>,
}

impl Row {
    /// An attribute that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.item.get(name)? {
            AttributeValue::S(text) => Some(text),
            _ => None,
        }
    }

    /// The time at which the order was accepted.
    pub fn placed_at(&self) -> Timestamp {
        let placed_at = self.text("placed_at").and_then(|at| at.parse().ok());
        placed_at.expect("each row has the time of its order")
    }

    /// The second, since 1970, from which on DynamoDB may delete the row.
    pub fn expires_at(&self) -> Option<u64> {
        match self.item.get("expires_at")? {
            AttributeValue::N(seconds) => seconds.parse().ok(),
            _ => None,
        }
    }

    /// Whether readers treat it as deleted.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        let now = u64::try_from(now.seconds()).unwrap_or_default();
        self.expires_at().is_some_and(|at| at < now)
    }

    /// Whether it may replace `before`.
    pub fn may_replace(&self, before: &Self) -> bool {
        let is_own_failed = before.status == "failed" && before.fingerprint == self.fingerprint;
        let expired = self.replaces_expired.zip(before.expires_at());
        self.replaces_failed && is_own_failed || expired.is_some_and(|(now, at)| at < now)
    }
}

impl Action {
    /// A key that is unique across both tables.
    pub fn key(&self) -> String {
        match self {
            Self::Put(row) => format!("{ORDERS}/{}", row.id),
            Self::Take { key, .. } => format!("{ARTICLES}/{key}"),
        }
    }

    /// Write units in a transaction. A key's row is smaller than a KiB.
    pub fn units(&self) -> f64 {
        let units = match self {
            Self::Put(row) => units::in_transaction(&row.item),
            Self::Take { .. } => 2,
        };
        f64::from(u32::try_from(units).unwrap_or(u32::MAX))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    transact_items: Vec<TransactItem>,
}

#[derive(Deserialize)]
enum TransactItem {
    Put(Put),
    Update(Update),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    table_name: String,
    item: Item,
    condition_expression: String,
    #[serde(default)]
    expression_attribute_values: BTreeMap<String, AttributeValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    table_name: String,
    key: serde_json::Value,
    #[serde(rename = "UpdateExpression")]
    change: String,
    condition_expression: String,
    expression_attribute_values: BTreeMap<String, AttributeValue>,
}

/// The actions of a `TransactWriteItems`.
pub fn transaction(body: &[u8]) -> Vec<Action> {
    let request: Transaction = serde_json::from_slice(body).expect("a transaction as expected");
    let actions: Vec<_> = request
        .transact_items
        .into_iter()
        .map(|item| match item {
            TransactItem::Put(put) => Action::Put(row(put)),
            TransactItem::Update(update) => take(&update),
        })
        .collect();
    assert!((1..=MOST_ACTIONS).contains(&actions.len()) && body.len() <= MOST_BYTES);
    actions
}

/// The row of a `PutItem`.
pub fn put_item(body: &[u8]) -> Row {
    row(serde_json::from_slice(body).expect("a put as expected"))
}

fn row(put: Put) -> Row {
    assert_eq!(put.table_name, ORDERS);
    let text = |name| match put.item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        other => panic!("{name} is {other:?}"),
    };
    let (id, status, fingerprint) = (text("id"), text("status"), text("fingerprint"));
    let values = &put.expression_attribute_values;
    let (condition, replaces_expired) = match put
        .condition_expression
        .strip_suffix(" OR expires_at < :now")
    {
        Some(rest) => (rest, Some(seconds(&values[":now"]))),
        None => (put.condition_expression.as_str(), None),
    };
    let replaces_failed = match condition {
        "attribute_not_exists(id)" => false,
        "attribute_not_exists(id) OR (#status = :failed AND fingerprint = :mine)" => {
            assert_eq!(values[":mine"], AttributeValue::S(fingerprint.clone()));
            true
        }
        other => panic!("the model doesn't know the condition {other}"),
    };
    Row {
        item: put.item,
        id,
        status,
        fingerprint,
        replaces_failed,
        replaces_expired,
    }
}

fn seconds(number: &AttributeValue) -> u64 {
    match number {
        AttributeValue::N(seconds) => seconds.parse().expect("whole seconds"),
        other => panic!("{other:?} seconds"),
    }
}

fn take(update: &Update) -> Action {
    assert_eq!(update.table_name, ARTICLES);
    let key = kit::key_of(&update.key).expect("a key").to_owned();
    let expected = reserve(ARTICLES, &key, 0).expect("an update");
    let is_known = update.change == expected.update_expression()
        && Some(&*update.condition_expression) == expected.condition_expression();
    assert!(
        is_known,
        "the model doesn't know {}",
        update.condition_expression
    );
    let mut amounts = update.expression_attribute_values.values();
    let amount = match (amounts.next(), amounts.next()) {
        (Some(AttributeValue::N(amount)), None) => amount.parse().expect("a whole number"),
        other => panic!("{other:?} is no amount"),
    };
    Action::Take { key, amount }
}
