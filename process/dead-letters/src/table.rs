//! The orders' rows, read-only.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use events::{
    OrderId, OrderRecord,
    record::{EXPIRES_AT, has_expired},
};
use function::answered::Answered;
use futures_util::future::try_join_all;
use std::{collections::HashMap, time::SystemTime};

type Item = HashMap<String, AttributeValue>;

/// The table of orders.
#[derive(Debug)]
pub struct OrdersTable {
    dynamodb: DynamoDb,
    name: String,
}

/// The table's row for an order's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// No row, or an expired one, which counts as deleted as it does for `process` and `status`.
    Missing,
    /// A row that this version can't read.
    Unreadable,
    /// The row's content.
    Record(Box<OrderRecord>),
}

impl OrdersTable {
    /// Reads from the table with this name.
    pub fn new(dynamodb: &DynamoDb, name: String) -> Self {
        let config = dynamodb.config().to_builder().interceptor(Answered);
        let dynamodb = DynamoDb::from_conf(config.build());
        Self { dynamodb, name }
    }

    /// Returns the rows of these orders, in the given sequence; `Missing` where the message contains no readable order.
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
        let is_kept = |item: &Item| {
            let expires_at = item.get(EXPIRES_AT).and_then(|at| at.as_n().ok());
            !expires_at.is_some_and(|at| has_expired(at, SystemTime::now().into()))
        };
        Ok(
            match got.item.filter(is_kept).map(serde_dynamo::from_item) {
                None => Row::Missing,
                Some(Ok(record)) => Row::Record(Box::new(record)),
                Some(Err(_)) => Row::Unreadable,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{Fake, order};
    use events::{Outcome, Timestamp};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn an_expired_row_is_missing_and_an_empty_answer_is_an_error() -> Result<()> {
        let now = Timestamp::from(SystemTime::now()).seconds();
        let placed = order(1, 1)?;
        let record = OrderRecord::new(placed.clone(), Outcome::Confirmed, placed.placed_at());
        let row: Value =
            serde_json::to_value(serde_dynamo::to_item::<_, serde_dynamo::Item>(record)?)?;
        for (expires_at, is_there) in [
            (None, true),
            (Some("1".to_owned()), false),
            (Some((now - 1).to_string()), false),
            (Some((now + 60).to_string()), true),
            (Some("soon".to_owned()), true),
        ] {
            let (fake, mut row) = (Fake::default(), row.clone());
            if let Some(at) = &expires_at {
                row["expires_at"] = json!({"N": at});
            }
            fake.interfere(move |_, _| Some((200, json!({"Item": row}))));
            let rows = fake.stack().table.rows([Some(placed.id())]).await?;
            assert_eq!(rows[0] != Row::Missing, is_there, "{expires_at:?}");
        }
        let fake = Fake::default();
        fake.interfere(|_, _| Some((200, Value::Null)));
        assert!(fake.stack().table.rows([Some(placed.id())]).await.is_err());
        Ok(())
    }
}
