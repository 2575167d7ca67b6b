//! Handles orders on their last delivery: each is stored as `failed` before it is tried, and published as failed if it stays
//! so.

use super::{Processor, Settlement};
use crate::{
    disposition::{Disposition, Settled},
    records::{Pending, Record},
};
use futures_util::FutureExt;
use std::{collections::BTreeMap, panic::AssertUnwindSafe};
use tokio::time::{Instant, timeout_at};

impl Processor {
    /// Stores each order on its last delivery as failed first, so that a worker that is killed leaves a true status. Puts one
    /// row after the other while `deadline` allows; the remaining orders are tried without.
    pub(super) async fn put_failed(&self, orders: &[&Pending], deadline: Instant) {
        for order in orders {
            let order_id = order.placed.id();
            let now = (self.effects.clock)().into();
            let put = AssertUnwindSafe(self.table.put_failed(&order.placed, now)).catch_unwind();
            match timeout_at(deadline, put).await {
                Ok(Ok(Ok(()))) => {
                    tracing::warn!(%order_id, "last delivery attempt: stored as failed first");
                }
                Ok(Ok(Err(error))) => {
                    tracing::error!(%order_id, %error, "could not store the order as failed");
                }
                Ok(Err(_)) => {
                    tracing::error!(%order_id, "storing the order as failed panicked");
                }
                Err(_) => {
                    tracing::error!(%order_id, "ran out of time to store the order as failed");
                }
            }
        }
    }

    /// Returns the rows of the orders that have failed for good, by their records. Reads each row, because a transaction whose answer was lost may have settled the order.
    pub(super) async fn failed(
        &self,
        orders: &[Pending],
        settlements: &[Settlement],
        deadline: Instant,
    ) -> BTreeMap<Record, Settled> {
        let mut failed = BTreeMap::new();
        let has_failed = |order: &&Pending| {
            let is_last = order.receives >= self.max_receives;
            is_last
                && matches!(
                    settlements[order.record.0].disposition,
                    Disposition::Retry(_)
                )
        };
        for order in orders.iter().filter(has_failed) {
            let now = (self.effects.clock)().into();
            let row = AssertUnwindSafe(self.table.failed(&order.placed, now)).catch_unwind();
            if let Ok(Ok(Some(row))) = timeout_at(deadline, row).await {
                failed.insert(order.record, row);
            }
        }
        failed
    }
}
