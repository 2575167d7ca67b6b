//! Writes the orders of a batch, only one of each id at a time. Orders that share an id were sent under one idempotency key,
//! and one row decides about all of them.

use super::Processor;
use crate::{
    commit::{Committed, commit},
    disposition::{Cause, Disposition, Settled},
    group::{chain, pack},
    records::Pending,
};
use events::OrderId;
use std::collections::{HashMap, hash_map::Entry};
use tokio::time::Instant;

impl Processor {
    /// Writes the orders by `deadline`. If several share an id, one is tried, and the others are judged by the row that it
    /// met. Where that row doesn't decide, the next one is tried.
    pub(super) async fn write(&self, orders: &[Pending], deadline: Instant) -> Committed {
        let mut done = Committed::default();
        let mut left: Vec<_> = orders.iter().collect();
        while !left.is_empty() {
            let mut by_id: HashMap<OrderId, &Pending> = HashMap::new();
            let (mut tried, mut rivals) = (Vec::new(), Vec::new());
            for order in left {
                match by_id.entry(order.placed.id()) {
                    Entry::Vacant(entry) => tried.push(*entry.insert(order)),
                    Entry::Occupied(_) => rivals.push(order),
                }
            }
            let committed = self.write_apart(tried, deadline).await;
            done.first_write = done.first_write.or(committed.first_write);
            let known: HashMap<_, _> = committed.dispositions.into_iter().collect();
            left = Vec::new();
            for rival in rivals {
                let tried = by_id[&rival.placed.id()];
                let disposition = known.get(&tried.record);
                match disposition.and_then(|disposition| by_row(rival, tried, disposition)) {
                    Some(disposition) => done.dispositions.push((rival.record, disposition)),
                    None => left.push(rival),
                }
            }
            done.dispositions.extend(known);
        }
        done
    }

    /// Writes orders that all have different ids. An order on its last delivery is stored as failed first, and gets a group of
    /// its own.
    async fn write_apart(&self, orders: Vec<&Pending>, deadline: Instant) -> Committed {
        let is_last = |order: &&Pending| order.receives >= self.max_receives;
        let (last, others): (Vec<_>, Vec<_>) = orders.into_iter().partition(is_last);
        let now = Instant::now();
        let half = now + deadline.saturating_duration_since(now) / 2;
        self.put_failed(&last, half).await;
        let mut groups: Vec<_> = last.into_iter().map(|order| vec![order]).collect();
        groups.extend(pack(others));
        commit(&self.table, chain(groups), deadline, self.effects).await
    }
}

/// Returns the disposition of an order from that of `tried`, which has the same id. None if the order must be tried itself.
fn by_row(order: &Pending, tried: &Pending, disposition: &Disposition) -> Option<Disposition> {
    let owner = match disposition {
        Disposition::Stored(settled) | Disposition::StoredBefore(settled) => {
            tried.owner(Some(*settled))
        }
        Disposition::UnknownOutcome => tried.owner(None),
        Disposition::KeyMismatch(owner) => owner.clone(),
        // The other order itself was at fault.
        Disposition::Retry(Cause::Record) => return None,
        Disposition::Retry(cause) => return Some(Disposition::Retry(*cause)),
    };
    if owner.fingerprint != order.placed.fingerprint().as_str() {
        return Some(Disposition::KeyMismatch(owner));
    }
    // A `failed` row makes way for its own order, and an unknown outcome is read again.
    let is_final = |settled: &Settled| settled.outcome.is_final();
    let settled = owner.settled.filter(is_final)?;
    Some(Disposition::StoredBefore(settled))
}

#[cfg(test)]
mod tests;
