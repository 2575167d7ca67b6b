//! Packs orders into as few transactions as the limits allow. Pure.

use crate::records::Pending;
use std::collections::{BTreeMap, HashMap};

/// Maximum number of actions of a transaction.
const MAX_ACTIONS: usize = 100;
/// Maximum bytes of a transaction's items: 4 MB, less a little for the rows of what they claim.
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
        actions: usize,
        bytes: usize,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut last_with: HashMap<&str, usize> = HashMap::new();
    // By number of actions: how many groups at the start have no room for that many.
    let mut full: HashMap<usize, usize> = HashMap::new();
    for order in orders {
        let claims = order.placed.order().claims();
        let earlier = || claims.keys().filter_map(|key| last_with.get(key).copied());
        let last = earlier().max();
        // Groups after the last one that shares a key have none of the order's keys.
        let shared = earlier().filter(|n| Some(*n) == last).count();
        let all = 1 + claims.len();
        let more = |n| if Some(n) == last { all - shared } else { all };
        let fits = |n: &usize| {
            open[*n].actions + more(*n) <= MAX_ACTIONS && open[*n].bytes + order.bytes <= MAX_BYTES
        };
        let full = full.entry(all).or_default();
        let is_full = |group: &&Open| group.actions + all > MAX_ACTIONS;
        *full += open[*full..].iter().take_while(is_full).count();
        let later = last.map_or(0, |last| last + 1).max(*full)..open.len();
        let mut candidates = last.into_iter().chain(later);
        let chosen = candidates.find(fits).unwrap_or(open.len());
        let more = more(chosen);
        if chosen == open.len() {
            open.push(Open::default());
        }
        last_with.extend(claims.into_keys().map(|key| (key, chosen)));
        open[chosen].orders.push(order);
        open[chosen].actions += more;
        open[chosen].bytes += order.bytes;
    }
    open.into_iter().map(|group| group.orders).collect()
}

/// Chains groups that share a key, directly or through other groups. The groups of a chain are written in sequence,
/// because the first orders to arrive get what is left. Chains are independent of each other. All are by arrival.
pub fn chain(groups: Vec<Group<'_>>) -> Vec<Vec<Group<'_>>> {
    // A union-find: a group's parent is an earlier one of its chain; the first one is its own.
    let mut parents: Vec<_> = (0..groups.len()).collect();
    let mut first_with: HashMap<&str, usize> = HashMap::new();
    for (n, group) in groups.iter().enumerate() {
        let claims = group.iter().map(|order| order.placed.order().claims());
        for key in claims.flat_map(BTreeMap::into_keys) {
            let other = *first_with.entry(key).or_insert(n);
            let (one, other) = (first(&mut parents, n), first(&mut parents, other));
            parents[one.max(other)] = one.min(other);
        }
    }
    let mut chains: BTreeMap<usize, Vec<Group>> = BTreeMap::new();
    for (n, group) in groups.into_iter().enumerate() {
        let chain = chains.entry(first(&mut parents, n)).or_default();
        chain.push(group);
    }
    chains.into_values().collect()
}

/// Returns the first group of a group's chain, and halves the path there.
fn first(parents: &mut [usize], mut n: usize) -> usize {
    while parents[n] != n {
        parents[n] = parents[parents[n]];
        n = parents[n];
    }
    n
}

#[cfg(test)]
mod tests;
