//! Follows the location of each order that was accepted alone: its client reads the order's own outcome, or that another order
//! has its key.

use super::{ledger::Sent, reconciliation::Rows};
use crate::{api::Api, patience::until};
use anyhow::{Result, ensure};
use events::Order;
use futures_util::future::join_all;
use http::Method;

/// Requests at a time.
const AT_A_TIME: usize = 32;

/// Returns what is wrong, in words, and the number of orders whose key another order has.
pub async fn reads(api: &Api, sent: &[Sent], rows: &Rows) -> (Vec<String>, usize) {
    let api = api.clone().at_most(AT_A_TIME);
    let mut reads = Vec::new();
    for sent in sent {
        let api = api.with_key(Some(&sent.client));
        for (which, location) in &sent.locations {
            let order = &sent.orders[*which];
            reads.push(read(api.clone(), sent, order, location, rows));
        }
    }
    let (mut wrong, mut reused) = (Vec::new(), 0);
    for read in join_all(reads).await {
        match read {
            Ok(is_reused) => reused += usize::from(is_reused),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    (wrong, reused)
}

/// Whether the answer correctly says that another order has the key.
async fn read(api: Api, sent: &Sent, order: &Order, location: &str, rows: &Rows) -> Result<bool> {
    let path = format!("/{location}");
    // On a machine that is too busy the table may not answer in time.
    let reply = until("the order can be read", || async {
        let reply = api.send(Method::GET, &path, &[], "").await?;
        Ok(Some(reply).filter(|reply| reply.status != 503))
    })
    .await?;
    let row = sent.id.as_ref().and_then(|id| rows.get(id));
    let is_own = row.is_some_and(|row| row.order == *order);
    if is_own {
        let shown = reply.json()?["order"].take();
        ensure!(
            reply.status == 200 && shown == serde_json::to_value(order)?,
            "{sent} reads {reply:?}"
        );
    } else {
        let problem = reply.problem(409)?;
        ensure!(
            problem["type"] == "idempotency-key-reused",
            "{sent} reads {problem}"
        );
    }
    Ok(!is_own)
}
