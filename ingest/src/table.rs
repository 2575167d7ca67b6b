//! The table of orders, as `status` reads it.

use crate::retries;
use aws_sdk_dynamodb::{
    Client as DynamoDb,
    types::{AttributeValue, KeysAndAttributes},
};
use events::{Client, OrderId, OrderRecord, Outcome, Timestamp, text::bounded};
use function::sdk_error;
use serde::Deserialize;
use std::{collections::HashMap, time::Duration};
use tokio::time::{sleep, timeout};

/// The time for all calls of one request for many rows: below the function's own, and the client's patience.
const PATIENCE: Duration = Duration::from_secs(6);

/// The table of orders. Nothing here writes to it.
#[derive(Debug)]
pub struct OrderTable {
    dynamodb: DynamoDb,
    name: String,
}

/// Why a row was not read.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// DynamoDB refused, or did not answer: the next time it may.
    #[error("{0}")]
    Table(String),
    /// The row is not an order's, and will be none the next time.
    #[error("{0}")]
    Row(String),
}

/// The part of a row that tells an order's outcome.
#[derive(Debug, Deserialize)]
pub struct Settled {
    /// The order.
    pub id: OrderId,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The client that sent it.
    pub client: Client,
    /// The time at which it was accepted.
    pub placed_at: Timestamp,
    /// The time at which it got its outcome.
    pub processed_at: Timestamp,
    /// Its price, in the currency's minor unit.
    pub total: u64,
}

impl OrderTable {
    /// Reads from the table of this name.
    pub fn new(dynamodb: DynamoDb, name: String) -> Self {
        let config = dynamodb.config().to_builder();
        let config = config.retry_config(retries::reads());
        let dynamodb = DynamoDb::from_conf(config.build());
        Self { dynamodb, name }
    }

    /// Reads the outcomes in the rows of these orders, by id. The read is consistent, and asks again for what
    /// DynamoDB has left out, as long as the SDK's time for one call.
    pub async fn read_all(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Settled>, NotRead> {
        let read = self.read_keys(ids);
        let read = timeout(PATIENCE, read).await;
        read.unwrap_or_else(|_| {
            Err(NotRead::Table(
                "no time was left for all of the rows".to_owned(),
            ))
        })
    }

    async fn read_keys(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Settled>, NotRead> {
        let key =
            |id: &OrderId| HashMap::from([("id".to_owned(), AttributeValue::S(id.to_string()))]);
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(ids.iter().map(key).collect()))
            .consistent_read(true)
            .projection_expression("id, #status, reason, client, placed_at, processed_at, #total")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#total", "total");
        let keys = keys
            .build()
            .map_err(|error| NotRead::Table(error.to_string()))?;
        let mut open = Some(HashMap::from([(self.name.clone(), keys)]));
        let mut found = HashMap::new();
        let mut pause = Duration::from_millis(25);
        while let Some(keys) = open.filter(|open| !open.is_empty()) {
            let read = self.dynamodb.batch_get_item().set_request_items(Some(keys));
            let read = read
                .send()
                .await
                .map_err(|error| NotRead::Table(sdk_error::text(&error)))?;
            for row in read
                .responses
                .into_iter()
                .flat_map(HashMap::into_values)
                .flatten()
            {
                let settled: Settled =
                    serde_dynamo::from_item(row).map_err(|error: serde_dynamo::Error| {
                        NotRead::Row(unquoted(&error.to_string()))
                    })?;
                found.insert(settled.id, settled);
            }
            open = read.unprocessed_keys;
            if open.as_ref().is_some_and(|open| !open.is_empty()) {
                sleep(pause).await;
                pause *= 2;
            }
        }
        Ok(found)
    }

    /// Reads an order's row. The read is consistent: an outcome that was seen once never turns back to `queued`.
    pub async fn read(&self, id: OrderId) -> Result<Option<OrderRecord>, NotRead> {
        let read = self
            .dynamodb
            .get_item()
            .table_name(&self.name)
            .consistent_read(true)
            .key("id", AttributeValue::S(id.to_string()));
        let read = read
            .send()
            .await
            .map_err(|error| NotRead::Table(sdk_error::text(&error)))?;
        let record = read.item.map(serde_dynamo::from_item).transpose();
        record.map_err(|error: serde_dynamo::Error| NotRead::Row(unquoted(&error.to_string())))
    }
}

/// The text of an error without what it quotes, which is a client's.
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
