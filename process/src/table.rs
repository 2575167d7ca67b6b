//! The tables, as `process` uses them. `refusal` translates DynamoDB's refusals into findings that the rest can act on.

mod numbers;
mod refusal;

use crate::{allocate::Transaction, disposition::Settled, records::Pending, retries};
use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        put_item::PutItemError, transact_write_items::TransactWriteItemsError as WriteError,
    },
    types::{
        AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};
use events::{OrderPlaced, OrderRecord, Outcome, Timestamp};
use function::{answered::Answered, sdk_error};
use numbers::exact;
pub use refusal::{Finding, Refusal};
use refusal::{failed_row, refusal};
use std::{collections::HashMap, time::Duration};

type Item = HashMap<String, AttributeValue>;

/// Rows live this much longer than the operator keeps them. A retry that was accepted while its key was promised to hold may
/// wait for SQS's 14 days, on both queues together, and the worker that stores it in the end must still meet the row. The
/// clocks of workers may differ by the day that is left.
const LATE: Duration = Duration::from_hours(15 * 24);

/// An order's row may be put.
const IS_FREE: &str = "attribute_not_exists(id)";
/// Also over the order's own `failed` row.
const IS_FREE_OR_OWN: &str =
    "attribute_not_exists(id) OR (#status = :failed AND fingerprint = :mine)";
/// A row that has expired counts as deleted: DynamoDB deletes it days later. There may be such rows whatever `keep` is now.
const OR_EXPIRED: &str = " OR expires_at < :now";

/// The tables of orders and of articles.
#[derive(Debug)]
pub struct OrderTable {
    dynamodb: Client,
    /// The same client without the SDK's own retries: `commit` knows better what to do.
    transactions: Client,
    orders: String,
    articles: String,
    keep: Option<Duration>,
}

/// An order's `failed` row wasn't put.
#[derive(Debug, thiserror::Error)]
pub enum NotPut {
    /// The order makes no row.
    #[error("the order makes no row: {0}")]
    Row(#[from] serde_dynamo::Error),
    /// DynamoDB refused it, or didn't answer.
    #[error("{}", sdk_error::text(.0.as_ref()))]
    Refused(Box<SdkError<PutItemError>>),
}

impl OrderTable {
    /// The tables of these names.
    pub fn new(dynamodb: &Client, orders: String, articles: String) -> Self {
        let retrying = |retries| {
            let config = dynamodb.config().to_builder().interceptor(Answered);
            Client::from_conf(config.retry_config(retries).build())
        };
        Self {
            transactions: retrying(RetryConfig::disabled()),
            dynamodb: retrying(retries::failed_row()),
            orders,
            articles,
            keep: None,
        }
    }

    /// Sets how long after its outcome a row is kept at least; `None`: forever.
    #[must_use]
    pub fn keeping(self, keep: Option<Duration>) -> Self {
        Self { keep, ..self }
    }

    /// True if an order is so old that its row need not be there any more. Storing it could reserve its stock twice.
    pub fn may_have_forgotten(&self, order: &OrderPlaced, now: Timestamp) -> bool {
        let age = order.placed_at().until(now);
        self.keep.is_some_and(|keep| age >= keep)
    }

    /// Writes the transaction, tried once. The orders got their outcomes at `now`.
    pub async fn write<'a>(
        &self,
        transaction: &Transaction<'a>,
        now: Timestamp,
    ) -> Result<(), Refusal<'a>> {
        let mut actions = Vec::with_capacity(transaction.actions());
        for (order, outcome) in &transaction.orders {
            actions.push(self.put(order, *outcome, now)?);
        }
        for (sku, pieces) in &transaction.reserved {
            actions.push(self.reserve(sku, *pieces)?);
        }
        let write = self.transactions.transact_write_items();
        match write.set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(&error, transaction)),
        }
    }

    /// Puts the order's row as `failed`, unless it has an outcome. A `failed` row of an earlier delivery, or of another message of
    /// the order, gets the time of this one: until its worker is done, the order isn't given up.
    pub async fn put_failed(&self, order: &OrderPlaced, now: Timestamp) -> Result<(), NotPut> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.orders)
            .set_item(Some(self.row(order, Outcome::Failed, now)?))
            .condition_expression(format!("{IS_FREE_OR_OWN}{OR_EXPIRED}"))
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(values(order, now)));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(NotPut::Refused(Box::new(error))),
        }
    }

    /// The outcome in an order's row, if it is this order's and reads `failed`; an order without a row gets such a one. None
    /// also if DynamoDB doesn't say. It is a transaction, because DynamoDB Local tells the row of no other put that it refuses.
    pub async fn failed(&self, order: &OrderPlaced, now: Timestamp) -> Option<Settled> {
        let put = Put::builder()
            .table_name(&self.orders)
            .set_item(Some(self.row(order, Outcome::Failed, now).ok()?))
            .condition_expression(format!("{IS_FREE}{OR_EXPIRED}"))
            .expression_attribute_values(":now", second(now))
            .return_values_on_condition_check_failure(AllOld);
        let put = TransactWriteItem::builder().put(put.build().ok()?).build();
        let write = self.transactions.transact_write_items();
        let Err(refused) = write.transact_items(put).send().await else {
            return Some(Settled {
                outcome: Outcome::Failed,
                placed_at: order.placed_at(),
                processed_at: now,
            });
        };
        match refused.as_service_error()? {
            WriteError::TransactionCanceledException(cancelled) => {
                failed_row(cancelled.cancellation_reasons().first()?.item()?, order)
            }
            _ => None,
        }
    }

    fn put<'a>(
        &self,
        order: &Pending,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Refusal<'a>> {
        let put = Put::builder()
            .table_name(&self.orders)
            .set_item(Some(
                self.row(&order.placed, outcome, now).map_err(malformed)?,
            ))
            .condition_expression(format!("{IS_FREE_OR_OWN}{OR_EXPIRED}"))
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(values(&order.placed, now)))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(malformed)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn reserve<'a>(&self, sku: &str, pieces: u64) -> Result<TransactWriteItem, Refusal<'a>> {
        let update = Update::builder()
            .table_name(&self.articles)
            .key("sku", AttributeValue::S(sku.to_owned()))
            .update_expression("SET in_stock = in_stock - :reserved")
            .condition_expression("in_stock >= :reserved")
            .expression_attribute_values(":reserved", AttributeValue::N(pieces.to_string()))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(malformed)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn row(
        &self,
        order: &OrderPlaced,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Item, serde_dynamo::Error> {
        let row = OrderRecord::new(order.clone(), outcome, now);
        let row: Item = serde_dynamo::to_item(match self.keep {
            Some(keep) => row.kept_for(keep + LATE),
            None => row,
        })?;
        let row = row.into_iter();
        Ok(row.map(|(name, value)| (name, exact(value))).collect())
    }
}

/// The values that [`IS_FREE_OR_OWN`] and [`OR_EXPIRED`] compare a row's with.
fn values(order: &OrderPlaced, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([
        (":failed".to_owned(), text(Outcome::Failed.status())),
        (":mine".to_owned(), text(order.fingerprint().as_str())),
        (":now".to_owned(), second(now)),
    ])
}

/// A time as `expires_at` has it.
fn second(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.seconds().to_string())
}

fn malformed<'a>(error: impl std::fmt::Display) -> Refusal<'a> {
    Refusal::Malformed(error.to_string())
}
