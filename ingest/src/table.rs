//! The table of orders, as `status` reads it.

use crate::sdk_error;
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use events::{OrderId, OrderRecord, text::bounded};

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

impl OrderTable {
    /// Reads from the table of this name.
    pub fn new(dynamodb: DynamoDb, name: String) -> Self {
        Self { dynamodb, name }
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
            .map_err(|error| NotRead::Table(sdk_error::text(error)))?;
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
