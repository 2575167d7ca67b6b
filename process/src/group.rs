//! Packs orders into as few transactions as the limits allow. Pure.

use crate::records::Pending;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most actions of a transaction.
const MAX_ACTIONS: usize = 100;
/// Most bytes of a transaction's items: 4 MB, less a little for the rows of what they claim.
const MAX_BYTES: usize = 3_900_000;

/// The orders of one transaction, by arrival.
pub type Group<'a> = Vec<&'a Pending>;

/// Packs orders into groups within a transaction's limits: one action per order and one per key. An order never goes into an
/// earlier group than one that arrived before it and shares a key with it.
///
/// An order that is too large on its own gets a group of its own: the table reports what is wrong with it.
pub fn pack<'a>(orders: impl IntoIterator<Item = &'a Pending>) -> Vec<Group<'a>> {
    #[derive(Default)]
    struct Open<'a> {
        orders: Group<'a>,
        keys: HashSet<&'a str>,
        bytes: usize,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut last_with: HashMap<&str, usize> = HashMap::new();
    for order in orders {
        let keys = keys(&[order]);
        let fits = |group: &Open| {
            // Check the count first: most groups are full, and a union is slow.
            let actions = group.orders.len() + 1 + group.keys.len();
            let more = || keys.difference(&group.keys).count();
            actions <= MAX_ACTIONS
                && group.bytes + order.bytes <= MAX_BYTES
                && actions + more() <= MAX_ACTIONS
        };
        let first = keys
            .iter()
            .filter_map(|key| last_with.get(key))
            .max()
            .copied()
            .unwrap_or(0);
        let chosen = (first..open.len())
            .find(|n| fits(&open[*n]))
            .unwrap_or_else(|| {
                open.push(Open::default());
                open.len() - 1
            });
        last_with.extend(keys.iter().map(|key| (*key, chosen)));
        open[chosen].orders.push(order);
        open[chosen].keys.extend(keys);
        open[chosen].bytes += order.bytes;
    }
    open.into_iter().map(|group| group.orders).collect()
}

/// Chains groups that share a key, directly or through other groups. The groups of a chain are written in sequence,
/// because the first orders to arrive get what is left. Chains are independent of each other.
pub fn chain(groups: Vec<Group<'_>>) -> Vec<Vec<Group<'_>>> {
    let mut chains: Vec<(HashSet<&str>, Vec<Group>)> = Vec::new();
    for group in groups {
        let mut keys = keys(&group);
        let (joined, apart) = chains
            .into_iter()
            .partition(|(others, _)| !others.is_disjoint(&keys));
        chains = apart;
        let mut members = Vec::new();
        for (others, earlier) in joined {
            keys.extend(others);
            members.extend::<Vec<_>>(earlier);
        }
        members.push(group);
        chains.push((keys, members));
    }
    chains.into_iter().map(|(_, groups)| groups).collect()
}

/// Returns the keys that the orders claim.
fn keys<'a>(orders: &[&'a Pending]) -> HashSet<&'a str> {
    let claims = orders.iter().map(|order| order.placed.order().claims());
    claims.flat_map(BTreeMap::into_keys).collect()
}

#[cfg(test)]
mod tests;
