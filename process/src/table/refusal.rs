//! DynamoDB's refusals of a transaction, translated into findings.

use super::{Item, chain};
use crate::allocate::Stock;
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError as WriteError,
    types::CancellationReason,
};
use events::{OrderPlaced, text::bounded};
use std::collections::BTreeMap;

/// Why a transaction was not written.
#[derive(Debug)]
pub enum Refusal {
    /// These actions stood in its way.
    Cancelled(Vec<Finding>),
    /// Another transaction was in its way; it may go through when tried again.
    Conflict,
    /// The table has more to do than it can.
    Throttled(String),
    /// The table is down, or didn't answer in time: then it may be written all the same.
    Unavailable(String),
    /// The request cannot be served as it is: something in it is wrong, and smaller requests can tell what.
    Malformed(String),
    /// No request can be served: no such table, no permission.
    Broken(String),
}

/// What one action of a cancelled transaction came up against.
#[derive(Debug)]
pub enum Finding {
    /// The order of this index has a row already, of this fingerprint.
    Exists(usize, String),
    /// The article hasn't the stock that was taken; it has this.
    Stock(String, Stock),
    /// Another transaction was using the item.
    Conflict,
    /// The table has more to do than it can, with this article if it is one.
    Throttled(Option<String>, String),
    /// The order of this index cannot be written.
    Order(usize, String),
    /// The article's row cannot be written.
    Article(String, String),
}

/// What an error of a transaction means, whose actions were the orders' puts, then the articles' updates.
pub(super) fn refusal(
    error: &SdkError<WriteError>,
    orders: &[&OrderPlaced],
    taken: &BTreeMap<&str, u64>,
) -> Refusal {
    let text = || chain(error);
    let SdkError::ServiceError(refused) = error else {
        return Refusal::Unavailable(text());
    };
    if let WriteError::TransactionCanceledException(cancelled) = refused.err() {
        return findings(cancelled.cancellation_reasons(), orders, taken);
    }
    match error.code().unwrap_or_default() {
        "TransactionConflictException" => Refusal::Conflict,
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException" => Refusal::Throttled(text()),
        "InternalServerError"
        | "TransactionInProgressException"
        // The SDK makes a new token for each call: the next one has its own.
        | "IdempotentParameterMismatchException" => Refusal::Unavailable(text()),
        "ValidationException" | "SerializationException" => Refusal::Malformed(text()),
        _ if refused.raw().status().is_server_error() => Refusal::Unavailable(text()),
        _ if refused.raw().status().as_u16() == 413 => Refusal::Malformed(text()),
        _ => Refusal::Broken(text()),
    }
}

/// Reasons come one an action, in the order of the actions.
fn findings(
    reasons: &[CancellationReason],
    orders: &[&OrderPlaced],
    taken: &BTreeMap<&str, u64>,
) -> Refusal {
    let actions = (0..orders.len())
        .map(Action::Put)
        .chain(taken.keys().map(|sku| Action::Take(sku)));
    let refused = reasons
        .iter()
        .zip(actions)
        .filter(|(reason, _)| !matches!(reason.code(), None | Some("None")));
    let findings: Vec<_> = refused
        .map(|(reason, action)| finding(reason, &action, orders))
        .collect();
    if findings.is_empty() {
        Refusal::Conflict
    } else {
        Refusal::Cancelled(findings)
    }
}

enum Action<'a> {
    Put(usize),
    Take(&'a str),
}

fn finding(reason: &CancellationReason, action: &Action<'_>, orders: &[&OrderPlaced]) -> Finding {
    let code = reason.code().unwrap_or_default();
    let text = || bounded(&format!("{code}: {}", reason.message().unwrap_or_default()));
    match (code, action) {
        ("ConditionalCheckFailed", Action::Put(order)) => {
            let attribute = |name| reason.item().and_then(|row| row.get(name)?.as_s().ok());
            match (attribute("fingerprint"), attribute("status")) {
                // The condition lets such a row pass: whatever says otherwise doesn't settle the order.
                (Some(own), Some(status))
                    if own == orders[*order].fingerprint.as_str() && status == "failed" =>
                {
                    Finding::Conflict
                }
                (Some(fingerprint), Some(_)) => Finding::Exists(*order, fingerprint.clone()),
                _ => Finding::Order(*order, "its row has no status or no fingerprint".to_owned()),
            }
        }
        ("ConditionalCheckFailed", Action::Take(sku)) => match reason.item().map(in_stock) {
            None => Finding::Stock((*sku).to_owned(), Stock::Unknown),
            Some(Some(pieces)) => Finding::Stock((*sku).to_owned(), Stock::Left(pieces)),
            Some(None) => Finding::Article((*sku).to_owned(), "in_stock is no number".to_owned()),
        },
        ("TransactionConflict", _) => Finding::Conflict,
        ("ThrottlingError" | "ProvisionedThroughputExceeded", action) => {
            let sku = match action {
                Action::Put(_) => None,
                Action::Take(sku) => Some((*sku).to_owned()),
            };
            Finding::Throttled(sku, text())
        }
        (_, Action::Put(order)) => Finding::Order(*order, text()),
        (_, Action::Take(sku)) => Finding::Article((*sku).to_owned(), text()),
    }
}

/// Whole pieces in an article's row: less than none is none. An operator writes it, so it may be anything.
fn in_stock(row: &Item) -> Option<u64> {
    let number = row.get("in_stock")?.as_n().ok()?;
    let (whole, _fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.starts_with('-') && number.parse::<f64>().is_ok() {
        Some(0)
    } else {
        whole.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    #[test]
    fn stock_is_whole_pieces_however_it_is_written() {
        let check = |stock: AttributeValue, expected| {
            assert_eq!(
                in_stock(&Item::from([("in_stock".to_owned(), stock)])),
                expected
            );
        };
        let number = |text: &str| AttributeValue::N(text.to_owned());
        check(number("7"), Some(7));
        check(number("0"), Some(0));
        check(number("7.9"), Some(7));
        check(number("-3"), Some(0));
        check(number("-0.5"), Some(0));
        check(number("1E2"), None);
        check(AttributeValue::S("7".to_owned()), None);
        assert_eq!(in_stock(&Item::new()), None);
    }
}
