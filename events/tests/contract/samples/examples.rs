//! The examples of the description have the orders.

use super::{keep, orders};
use anyhow::{Context, Result, ensure};
use events::{Order, Violation, violation::Pointer};
use serde_json::value::RawValue;
use std::fs;

/// Writes them into the description, or checks them.
pub fn write() -> Result<()> {
    let orders = orders()?;
    let (order, other) = (orders.order.get(), orders.other.get());
    let summary = serde_json::to_string(&serde_json::from_str::<Order>(order)?.summary())?;
    let summary = members(&summary)?;
    let summary = if summary.is_empty() {
        String::new()
    } else {
        format!(",{summary}")
    };
    let rejected = serde_json::to_string(&orders.rejected)?;
    let rejected = members(&rejected)?;
    let invalid = |at: &Pointer<'_>| {
        let violations = violations(&orders.invalid, at)?;
        let (count, errors) = (violations.len(), serde_json::to_string(&violations)?);
        let detail = format!("The order has {count} errors; see `errors`.");
        anyhow::Ok(format!(
            r#"{{"type":"invalid-order","title":"The order is invalid","status":422,"detail":"{detail}","errors":{errors}}}"#
        ))
    };
    let at = Pointer::Member(&Pointer::Root, "orders");
    let at = Pointer::Element(&at, 1);
    let in_batch = invalid(&Pointer::Member(&at, "order"))?;
    let id = r#""id":"67f8288e-abae-8b7e-8a00-1a482d7756da""#;
    let processed_at = r#""processed_at":"2026-11-22T09:00:01.030Z""#;
    let unknown = r#"{"id":"00000000-0000-8000-8000-000000000000","type":"about:blank","title":"Not Found","status":404,"detail":"There is no such order, or it is another client's."}"#;
    let examples = [
        (
            "NewOrder",
            "The body in events/order.json",
            order.to_owned(),
        ),
        (
            "NewOrders",
            "Two orders, one with a key",
            format!(
                r#"{{"orders":[{{"order":{order},"idempotency_key":"PO-2026-1187"}},{{"order":{other}}}]}}"#
            ),
        ),
        (
            "QueuedOrder",
            "A queued order",
            format!(r#"{{{id},"status":"queued"}}"#),
        ),
        (
            "SettledOrder",
            "A confirmed order",
            format!(
                r#"{{{id},"status":"confirmed","placed_at":"2026-11-22T09:00:00.120Z",{processed_at},"order":{order}{summary}}}"#
            ),
        ),
        (
            "Outcomes",
            "One order with its outcome, one that is queued, and one that is unknown",
            format!(
                r#"{{"results":[{{{id},{rejected},{processed_at}{summary}}},{{"id":"355e403e-6dc2-89bb-b47c-dddfb21e9e08","status":"queued"}},{unknown}]}}"#
            ),
        ),
        (
            "AcceptedOrders",
            "The first of two orders was accepted",
            format!(r#"{{"accepted":1,"results":[{{"status":202,{id}}},{in_batch}]}}"#),
        ),
        (
            "InvalidOrder",
            "Everything that is wrong with an order",
            invalid(&Pointer::Root)?,
        ),
    ];
    let text = fs::read_to_string("openapi.yaml")?;
    let (rest, _) = text.split_once("\n  examples:").context("no examples")?;
    let examples = examples.map(|(name, summary, value)| {
        format!("    {name}:\n      summary: {summary}\n      value: {value}\n")
    });
    let start = "\n  examples: # Written by tests/contract/samples/examples.rs.\n";
    keep(
        "openapi.yaml",
        &format!("{rest}{start}{}", examples.concat()),
    )
}

/// Returns an object's JSON without its braces.
fn members(object: &str) -> Result<&str> {
    let members = object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    members.context("not an object")
}

fn violations(body: &RawValue, at: &Pointer<'_>) -> Result<Vec<Violation>> {
    let violations = Order::from_json(body, at)
        .err()
        .context("`invalid` is valid")?;
    ensure!(violations.len() > 1, "`invalid` has only one violation");
    Ok(violations)
}
