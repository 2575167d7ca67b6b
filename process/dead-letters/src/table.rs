//! The orders' rows. They are read, and never written.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use events::{OrderId, OrderRecord};
use futures_util::future::try_join_all;

/// The table of orders.
#[derive(Debug)]
pub struct OrdersTable {
    dynamodb: DynamoDb,
    name: String,
}

/// What the table has under an order's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Nothing.
    Missing,
    /// Something that isn't a row as this version knows it.
    Unreadable,
    /// The row.
    Record(Box<OrderRecord>),
}

impl OrdersTable {
    /// Reads from the table of this name.
    pub fn new(dynamodb: DynamoDb, name: String) -> Self {
        Self { dynamodb, name }
    }

    /// The rows of these orders, in the order given. An order that couldn't be read from its message has none.
    pub async fn rows(&self, ids: impl IntoIterator<Item = Option<OrderId>>) -> Result<Vec<Row>> {
        let rows = ids.into_iter().map(async |id| match id {
            Some(id) => self.row(id).await,
            None => Ok(Row::Missing),
        });
        try_join_all(rows).await
    }

    async fn row(&self, id: OrderId) -> Result<Row> {
        let get = self.dynamodb.get_item().table_name(&self.name);
        let get = get.key("id", AttributeValue::S(id.to_string()));
        let got = get.consistent_read(true).send().await;
        let got = got.with_context(|| format!("the table {} can't be read", self.name))?;
        Ok(match got.item.map(serde_dynamo::from_item) {
            None => Row::Missing,
            Some(Ok(record)) => Row::Record(Box::new(record)),
            Some(Err(_)) => Row::Unreadable,
        })
    }
}
