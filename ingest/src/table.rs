//! The table of orders, as `status` reads it.

use crate::retries;
use aws_sdk_dynamodb::{
    Client as DynamoDb,
    types::{AttributeValue, KeysAndAttributes},
};
use events::{
    Client, Fingerprint, OrderId, OrderRecord, Outcome, Timestamp,
    order::Summary,
    record::{EXPIRES_AT, has_expired},
    text::bounded,
};
use function::{answered::Answered, sdk_error};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};
use tokio::time::{sleep, timeout};

/// Longest time for all calls of one request for many rows: less than the function's time-out and the client's patience.
const PATIENCE: Duration = Duration::from_secs(6);

/// The attributes, apart from the summary's, that are read when a request asks for many orders.
const SHOWN: [&str; 8] = [
    "id",
    "status",
    "reason",
    "client",
    "fingerprint",
    "placed_at",
    "processed_at",
    EXPIRES_AT,
];

type Item = HashMap<String, AttributeValue>;

/// The table of orders, read-only.
#[derive(Debug)]
pub struct OrderTable {
    dynamodb: DynamoDb,
    name: String,
}

/// DynamoDB refused a read or did not answer. A retry may succeed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotRead(String);

/// An order's row, as far as it can be read.
#[derive(Debug)]
pub struct Row<T> {
    /// The client that sent the order, if the row names it.
    pub client: Option<Client>,
    /// The order's fingerprint, if the row has it.
    pub fingerprint: Option<Fingerprint>,
    /// The rest, or why it can't be read as an order's. A retry won't change that.
    pub content: Result<T, String>,
}

/// The part of a row that shows an order's outcome.
#[derive(Debug, Deserialize)]
pub struct Settled {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The time at which the order was accepted.
    pub placed_at: Timestamp,
    /// The time at which the order got its outcome.
    pub processed_at: Timestamp,
    /// What the row shows beside the order.
    #[serde(flatten)]
    pub summary: Summary,
}

/// The rows of many orders.
#[derive(Debug)]
pub struct Rows {
    /// Rows that were read, by order id.
    pub found: HashMap<OrderId, Row<Settled>>,
    /// Orders whose rows are unknown, because DynamoDB refused the read or did not answer.
    pub unread: Vec<OrderId>,
}

impl<T: DeserializeOwned> From<Item> for Row<T> {
    fn from(item: Item) -> Self {
        let client = member(&item, "client");
        let fingerprint = member(&item, "fingerprint");
        let content = serde_dynamo::from_item(item)
            .map_err(|error: serde_dynamo::Error| unquoted(&error.to_string()));
        Self {
            client,
            fingerprint,
            content,
        }
    }
}

impl OrderTable {
    /// Reads from the table with this name.
    pub fn new(dynamodb: &DynamoDb, name: String) -> Self {
        let config = dynamodb.config().to_builder();
        let config = config.retry_config(retries::reads()).interceptor(Answered);
        let dynamodb = DynamoDb::from_conf(config.build());
        Self { dynamodb, name }
    }

    /// Reads the outcomes in the rows of these orders, consistently. Keys that DynamoDB leaves out are read again while there
    /// is time. What was read by then is kept.
    pub async fn read_all(&self, ids: impl IntoIterator<Item = OrderId>) -> Rows {
        let mut rows = Rows {
            found: HashMap::new(),
            unread: ids.into_iter().collect(),
        };
        let read = timeout(PATIENCE, self.read_unread(&mut rows)).await;
        let late = || Err(NotRead("not all rows were read in time".to_owned()));
        if let Err(error) = read.unwrap_or_else(|_| late()) {
            let unread = rows.unread.len();
            tracing::error!(%error, unread, "could not read the rows of orders");
        }
        rows
    }

    async fn read_unread(&self, rows: &mut Rows) -> Result<(), NotRead> {
        let mut pause = Duration::from_millis(25);
        // By placeholders, because some of the names are reserved words.
        let shown = SHOWN.into_iter().chain(Summary::FIELDS);
        let (placeholders, names): (Vec<_>, HashMap<_, _>) = shown
            .map(|name| (format!("#{name}"), (format!("#{name}"), name.to_owned())))
            .unzip();
        let projection = placeholders.join(", ");
        while !rows.unread.is_empty() {
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(rows.unread.iter().copied().map(key).collect()))
                .consistent_read(true)
                .projection_expression(&projection)
                .set_expression_attribute_names(Some(names.clone()));
            let keys = keys.build().map_err(|error| NotRead(error.to_string()))?;
            let read = self.dynamodb.batch_get_item();
            let read = read.request_items(&self.name, keys).send().await;
            let read = read.map_err(|error| NotRead(sdk_error::text(&error)))?;
            let items = read.responses.into_iter().flat_map(HashMap::into_values);
            // The key is an id that was asked for, whatever the rest of the row is.
            let found = items
                .flatten()
                .filter(is_kept)
                .filter_map(|item| Some((id(&item)?, Row::from(item))));
            rows.found.extend(found);
            let left = read
                .unprocessed_keys
                .into_iter()
                .flat_map(HashMap::into_values);
            rows.unread = left
                .flat_map(|left| left.keys)
                .filter_map(|key| id(&key))
                .collect();
            if !rows.unread.is_empty() {
                sleep(pause).await;
                pause *= 2;
            }
        }
        Ok(())
    }

    /// Reads an order's row, consistently: an outcome that was seen once never turns back to `queued`.
    pub async fn read(&self, id: OrderId) -> Result<Option<Row<OrderRecord>>, NotRead> {
        let read = self
            .dynamodb
            .get_item()
            .table_name(&self.name)
            .consistent_read(true)
            .set_key(Some(key(id)));
        let read = read.send().await;
        let read = read.map_err(|error| NotRead(sdk_error::text(&error)))?;
        Ok(read.item.filter(is_kept).map(Row::from))
    }
}

/// Returns a member of a row, even if other members are unreadable.
fn member<T: DeserializeOwned>(item: &Item, name: &str) -> Option<T> {
    serde_dynamo::from_attribute_value(item.get(name)?.clone()).ok()
}

/// Returns the key of an order's row.
fn key(id: OrderId) -> Item {
    HashMap::from([("id".to_owned(), AttributeValue::S(id.to_string()))])
}

/// Returns whether a row has not expired. An expired row counts as deleted, for `process`, too; DynamoDB deletes it days
/// later.
fn is_kept(item: &Item) -> bool {
    let expires_at = item.get(EXPIRES_AT).and_then(|at| at.as_n().ok());
    !expires_at.is_some_and(|at| has_expired(at, SystemTime::now().into()))
}

/// Returns the order id in a row or in a key.
fn id(item: &Item) -> Option<OrderId> {
    OrderId::parse(item.get("id")?.as_s().ok()?)
}

/// Returns an error's text without what it quotes, which is a client's data.
fn unquoted(error: &str) -> String {
    let quotes = ['"', '\''];
    let unquoted = error.split_once(quotes).map(|(before, rest)| {
        let after = rest.rsplit_once(quotes).map_or("", |(_, after)| after);
        format!("{before}…{after}")
    });
    bounded(unquoted.as_deref().unwrap_or(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_no_client() {
        let check = |error: &str, expected: &str| assert_eq!(unquoted(error), expected);
        check("missing field `total`", "missing field `total`");
        check(
            r#"invalid type: string "a \"b\" 'c'", expected u64"#,
            "invalid type: string …, expected u64",
        );
        check(
            "Failed to parse '1.5' as an integer: invalid digit found in string",
            "Failed to parse … as an integer: invalid digit found in string",
        );
        check("broken \"off", "broken …");
    }
}
