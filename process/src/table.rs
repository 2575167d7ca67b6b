//! The tables, as `process` uses them; `refusal` turns DynamoDB's answers into findings that the rest can act on.

mod refusal;

use crate::allocate::Verdict;
use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::ProvideErrorMetadata,
    types::{
        AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};
use events::{OrderPlaced, OrderRecord, Reason, Status, Timestamp, text::bounded};
use refusal::refusal;
pub use refusal::{Finding, Refusal};
use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    iter::successors,
    time::SystemTime,
};

type Item = HashMap<String, AttributeValue>;

/// The tables of orders and of articles.
#[derive(Debug)]
pub struct OrderTable {
    dynamodb: Client,
    /// The same without the SDK's own retries: `commit` knows better what to do.
    transactions: Client,
    orders: String,
    articles: String,
    clock: fn() -> SystemTime,
}

impl OrderTable {
    /// The tables of these names. `clock` says when an order is processed.
    pub fn new(
        dynamodb: Client,
        orders: String,
        articles: String,
        clock: fn() -> SystemTime,
    ) -> OrderTable {
        let once = dynamodb.config().to_builder();
        let once = once.retry_config(RetryConfig::disabled()).build();
        OrderTable {
            transactions: Client::from_conf(once),
            dynamodb,
            orders,
            articles,
            clock,
        }
    }

    /// Writes the orders with their verdicts, and takes the stock in `taken`, in one transaction, tried once.
    pub async fn commit(
        &self,
        orders: &[&OrderPlaced],
        verdicts: &[Verdict],
        taken: &BTreeMap<&str, u64>,
    ) -> Result<(), Refusal> {
        let mut actions = Vec::with_capacity(orders.len() + taken.len());
        for (order, verdict) in orders.iter().zip(verdicts) {
            actions.push(self.put(order, *verdict)?);
        }
        for (sku, pieces) in taken {
            actions.push(self.take(sku, *pieces)?);
        }
        let result = self
            .transactions
            .transact_write_items()
            .set_transact_items(Some(actions))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(&error, orders, taken)),
        }
    }

    /// Writes the order as `failed`, unless it has a row.
    pub async fn put_failed(&self, order: &OrderPlaced) -> Result<(), String> {
        let item = self
            .row(order, Status::Failed, None)
            .map_err(|refusal| format!("{refusal:?}"))?;
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.orders)
            .set_item(Some(item));
        match put
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(chain(&error)),
        }
    }

    fn put(&self, order: &OrderPlaced, verdict: Verdict) -> Result<TransactWriteItem, Refusal> {
        let item = match verdict {
            Verdict::Confirmed => self.row(order, Status::Confirmed, None),
            Verdict::Rejected(reason) => self.row(order, Status::Rejected, Some(reason)),
        };
        let put = Put::builder()
            .table_name(&self.orders)
            .set_item(Some(item?))
            .condition_expression(
                "attribute_not_exists(id) OR (#status = :failed AND fingerprint = :mine)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":failed", AttributeValue::S("failed".to_owned()))
            .expression_attribute_values(
                ":mine",
                AttributeValue::S(order.fingerprint.as_str().to_owned()),
            )
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(malformed)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn take(&self, sku: &str, pieces: u64) -> Result<TransactWriteItem, Refusal> {
        let update = Update::builder()
            .table_name(&self.articles)
            .key("sku", AttributeValue::S(sku.to_owned()))
            .update_expression("SET in_stock = in_stock - :taken")
            .condition_expression("in_stock >= :taken")
            .expression_attribute_values(":taken", AttributeValue::N(pieces.to_string()))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(malformed)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn row(
        &self,
        order: &OrderPlaced,
        status: Status,
        reason: Option<Reason>,
    ) -> Result<Item, Refusal> {
        let now = Timestamp::try_from((self.clock)()).map_err(malformed)?;
        let record = OrderRecord::new(order.clone(), status, reason, now);
        serde_dynamo::to_item(record).map_err(malformed)
    }
}

fn malformed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Malformed(error.to_string())
}

/// An error with its causes. Not its `Debug`, which has the whole answer in it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    bounded(
        &causes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": "),
    )
}
