//! The tables, as `process` uses them. `refusal` translates DynamoDB's refusals into findings that callers can act on.

mod numbers;
mod refusal;

use crate::{
    disposition::Settled, records::Pending, retries, stock::reserve, transaction::Transaction,
};
use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        put_item::PutItemError, transact_write_items::TransactWriteItemsError as WriteError,
    },
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem},
};
use events::{OrderPlaced, OrderRecord, Outcome, Timestamp};
use function::{answered::Answered, sdk_error};
use numbers::exact;
pub use refusal::{Finding, Refusal};
use refusal::{failed_row, refusal};
use std::{collections::HashMap, time::Duration};

type Item = HashMap<String, AttributeValue>;

/// How much longer a row is kept than the operator asked for. A retry that was accepted while its key was promised to hold may
/// wait for SQS's 14 days, on both queues together, and the worker that finally stores it must still find the row. The
/// remaining day allows for differences between workers' clocks.
const LATE: Duration = Duration::from_hours(15 * 24);

/// The order has no row.
const IS_FREE: &str = "attribute_not_exists(id)";
/// The order has no row, or its own `failed` row.
const IS_FREE_OR_OWN: &str =
    "attribute_not_exists(id) OR (#status = :failed AND fingerprint = :mine)";
/// An expired row counts as deleted; DynamoDB deletes it days later. There may be such rows whatever `keep` is now.
const OR_EXPIRED: &str = " OR expires_at < :now";

/// The tables of orders and of what they claim.
#[derive(Debug)]
pub struct OrderTable {
    dynamodb: Client,
    /// The same client without the SDK's own retries: `commit` decides about retries.
    transactions: Client,
    orders: String,
    claimed: String,
    keep: Option<Duration>,
}

/// The reason why an order's `failed` row wasn't put.
#[derive(Debug, thiserror::Error)]
pub enum NotPut {
    /// The order can't be converted to a row.
    #[error("the order can't be converted to a row: {0}")]
    Row(#[from] serde_dynamo::Error),
    /// DynamoDB refused the put, or didn't answer.
    #[error("{}", sdk_error::text(.0.as_ref()))]
    Refused(Box<SdkError<PutItemError>>),
}

impl OrderTable {
    /// Uses the tables with these names.
    pub fn new(dynamodb: &Client, orders: String, claimed: String) -> Self {
        let retrying = |retries| {
            let config = dynamodb.config().to_builder().interceptor(Answered);
            Client::from_conf(config.retry_config(retries).build())
        };
        Self {
            transactions: retrying(RetryConfig::disabled()),
            dynamodb: retrying(retries::failed_row()),
            orders,
            claimed,
            keep: None,
        }
    }

    /// Sets how long after its outcome a row is kept at least; `None`: for ever.
    #[must_use]
    pub fn keeping(self, keep: Option<Duration>) -> Self {
        Self { keep, ..self }
    }

    /// Returns whether an order is so old that its row may be gone. Storing it could take its claims twice.
    pub fn may_have_forgotten(&self, order: &OrderPlaced, now: Timestamp) -> bool {
        let age = order.placed_at().until(now);
        self.keep.is_some_and(|keep| age >= keep)
    }

    /// Tries once to write the transaction, with `now` as the time of its outcomes.
    pub async fn write<'a>(
        &self,
        transaction: &Transaction<'a>,
        now: Timestamp,
    ) -> Result<(), Refusal<'a>> {
        let mut actions = Vec::with_capacity(transaction.actions());
        for (order, outcome) in &transaction.orders {
            actions.push(self.put(order, *outcome, now)?);
        }
        for (key, amount) in &transaction.claims {
            let update = reserve(&self.claimed, key, *amount).map_err(malformed)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        let write = self.transactions.transact_write_items();
        match write.set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(&error, transaction)),
        }
    }

    /// Puts the order's row as `failed`, unless it has an outcome. A `failed` row from an earlier delivery, or from another
    /// message of the order, gets the time of this one: the order isn't given up before its worker is done.
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

    /// Puts a `failed` row if the key is free or its row has expired. Returns that outcome, or the one in the order's own
    /// `failed` row; None if another row is in the way or DynamoDB doesn't answer clearly. Uses a transaction, because
    /// DynamoDB Local returns the row only for a put that is refused in a transaction.
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

    fn row(
        &self,
        order: &OrderPlaced,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Item, serde_dynamo::Error> {
        let row = OrderRecord::new(order.clone(), outcome, now);
        let mut row: Item = serde_dynamo::to_item(match self.keep {
            Some(keep) => row.kept_for(keep + LATE),
            None => row,
        })?;
        row.values_mut().for_each(exact);
        Ok(row)
    }
}

/// Returns the values with which [`IS_FREE_OR_OWN`] and [`OR_EXPIRED`] compare a row's.
fn values(order: &OrderPlaced, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([
        (":failed".to_owned(), text(Outcome::Failed.status())),
        (":mine".to_owned(), text(order.fingerprint().as_str())),
        (":now".to_owned(), second(now)),
    ])
}

/// Formats a time like `expires_at`.
fn second(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.seconds().to_string())
}

fn malformed<'a>(error: impl std::fmt::Display) -> Refusal<'a> {
    Refusal::Malformed(error.to_string())
}
