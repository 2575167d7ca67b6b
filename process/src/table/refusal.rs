//! Translates DynamoDB's refusals of a transaction into findings.

use super::Item;
use crate::{
    disposition::{Owner, Settled},
    records::Pending,
    stock::{Found, find},
    transaction::Transaction,
};
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError as WriteError,
    types::CancellationReason,
};
use events::{OrderPlaced, Outcome, text::bounded};
use function::sdk_error;
use serde::de::DeserializeOwned;

/// The reason why a transaction was not written.
#[derive(Debug)]
pub enum Refusal<'a> {
    /// DynamoDB cancelled the transaction because of these actions.
    Cancelled(Vec<Finding<'a>>),
    /// Another transaction was in the way; this one may succeed when retried.
    Conflict,
    /// The table has more to do than it can.
    Throttled(String),
    /// The table is down or didn't answer in time. The transaction may have been written.
    Unavailable(String),
    /// DynamoDB rejects the request as a whole, or doesn't say why: smaller requests can show what is wrong in it.
    Malformed(String),
    /// DynamoDB can't serve any request: the table doesn't exist, or access is denied.
    Broken(String),
}

/// The reason why one action cancelled a transaction.
#[derive(Debug)]
pub enum Finding<'a> {
    /// The order already has its row, with this outcome if this version knows it.
    StoredBefore(&'a Pending, Option<Settled>),
    /// Another order, the owner, has the row of this order's id.
    KeyMismatch(&'a Pending, Owner),
    /// Less is left of the key than was claimed: this much.
    Learnt(&'a str, Found),
    /// Another transaction was using the item.
    Conflict,
    /// The table has more to do than it can; with this key, if one is named.
    Throttled(Option<&'a str>, String),
    /// The order cannot be written.
    Order(&'a Pending, String),
    /// The key's row cannot be written.
    Key(&'a str, String),
}

/// Translates a transaction's error.
pub(super) fn refusal<'a>(
    error: &SdkError<WriteError>,
    transaction: &Transaction<'a>,
) -> Refusal<'a> {
    let text = || sdk_error::text(error);
    let SdkError::ServiceError(refused) = error else {
        return Refusal::Unavailable(text());
    };
    if let WriteError::TransactionCanceledException(cancelled) = refused.err() {
        return findings(cancelled.cancellation_reasons(), transaction);
    }
    match error.code().unwrap_or_default() {
        "TransactionConflictException" => Refusal::Conflict,
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException" => Refusal::Throttled(text()),
        "InternalServerError"
        | "TransactionInProgressException"
        // The SDK creates a new token for each call, so the next call has its own.
        | "IdempotentParameterMismatchException" => Refusal::Unavailable(text()),
        "ValidationException" | "SerializationException" => Refusal::Malformed(text()),
        _ if refused.raw().status().is_server_error() => Refusal::Unavailable(text()),
        // This may be a proxy's page: DynamoDB answers a successful write with an object.
        _ if refused.raw().status().is_success() => Refusal::Unavailable(text()),
        _ if refused.raw().status().as_u16() == 413 => Refusal::Malformed(text()),
        _ => Refusal::Broken(text()),
    }
}

/// Evaluates DynamoDB's reasons: one per action, in the same sequence, the orders' puts before the keys' updates.
fn findings<'a>(reasons: &[CancellationReason], transaction: &Transaction<'a>) -> Refusal<'a> {
    let puts = transaction
        .orders
        .iter()
        .map(|(order, _)| Action::Put(order));
    let updates = transaction.claims.keys().map(|key| Action::Claim(key));
    let refused = reasons
        .iter()
        .zip(puts.chain(updates))
        .filter(|(reason, _)| !matches!(reason.code(), None | Some("None")));
    let findings: Vec<_> = refused
        .map(|(reason, action)| finding(reason, action))
        .collect();
    if findings.is_empty() {
        // Retrying the whole transaction would show nothing more.
        Refusal::Malformed("it was cancelled without a reason".to_owned())
    } else {
        Refusal::Cancelled(findings)
    }
}

#[derive(Clone, Copy)]
enum Action<'a> {
    Put(&'a Pending),
    Claim(&'a str),
}

fn finding<'a>(reason: &CancellationReason, action: Action<'a>) -> Finding<'a> {
    let code = reason.code().unwrap_or_default();
    let text = || bounded(&format!("{code}: {}", reason.message().unwrap_or_default()));
    match (code, action) {
        ("ConditionalCheckFailed", Action::Put(order)) => {
            let attribute = |name| reason.item().and_then(|row| text_of(row, name));
            match (attribute("fingerprint"), attribute("status")) {
                (Some(fingerprint), Some(_))
                    if fingerprint != order.placed.fingerprint().as_str() =>
                {
                    let owner = Owner {
                        fingerprint: fingerprint.to_owned(),
                        settled: reason.item().and_then(settled),
                    };
                    Finding::KeyMismatch(order, owner)
                }
                // The condition lets such a row pass, so it doesn't explain why the put failed.
                (Some(_), Some(_)) if is_failed(reason.item()) => Finding::Conflict,
                (Some(_), Some(_)) => Finding::StoredBefore(order, reason.item().and_then(settled)),
                _ => Finding::Order(order, "its row has no status or no fingerprint".to_owned()),
            }
        }
        ("ConditionalCheckFailed", Action::Claim(key)) => match find(reason.item()) {
            Ok(found) => Finding::Learnt(key, found),
            Err(why) => Finding::Key(key, why.to_owned()),
        },
        ("TransactionConflict", _) => Finding::Conflict,
        ("ThrottlingError" | "ProvisionedThroughputExceeded", Action::Put(_)) => {
            Finding::Throttled(None, text())
        }
        ("ThrottlingError" | "ProvisionedThroughputExceeded", Action::Claim(key)) => {
            Finding::Throttled(Some(key), text())
        }
        (_, Action::Put(order)) => Finding::Order(order, text()),
        (_, Action::Claim(key)) => Finding::Key(key, text()),
    }
}

/// Returns the outcome in the row of a failed order, if the row is this order's.
pub(super) fn failed_row(row: &Item, order: &OrderPlaced) -> Option<Settled> {
    let is_own = text_of(row, "fingerprint") == Some(order.fingerprint().as_str());
    settled(row).filter(|settled| is_own && settled.outcome == Outcome::Failed)
}

/// Returns whether a row has an outcome that can still change.
fn is_failed(row: Option<&Item>) -> bool {
    let outcome = row.and_then(|row| read::<Outcome>(row, &["status", "reason"]));
    outcome.is_some_and(|outcome| !outcome.is_final())
}

/// Returns the outcome in a row. The rest of the row, which may be large, isn't read.
fn settled(row: &Item) -> Option<Settled> {
    read(row, &["status", "reason", "placed_at", "processed_at"])
}

/// Reads a value from these attributes of a row.
fn read<T: DeserializeOwned>(row: &Item, attributes: &[&str]) -> Option<T> {
    let attributes = attributes.iter();
    let attributes: Item = attributes
        .filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone())))
        .collect();
    serde_dynamo::from_item(attributes).ok()
}

fn text_of<'a>(row: &'a Item, name: &str) -> Option<&'a str> {
    row.get(name)?.as_s().ok().map(String::as_str)
}

#[cfg(test)]
mod tests;
