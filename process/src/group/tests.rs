//! Packing and chaining, by examples and by properties.

use super::*;
use crate::faked;
use proptest::{collection::vec, prelude::*};
use std::collections::HashSet;

fn pending(record: usize, keys: &[u8], bytes: usize) -> Pending {
    Pending {
        bytes,
        ..faked::pending(record, keys)
    }
}

/// Returns the keys that the orders claim.
fn keys<'a>(orders: &[&'a Pending]) -> HashSet<&'a str> {
    let claims = orders.iter().map(|order| order.placed.order().claims());
    claims.flat_map(BTreeMap::into_keys).collect()
}

fn share(one: &[&Pending], other: &[&Pending]) -> bool {
    !keys(one).is_disjoint(&keys(other))
}

/// Specifies [`pack`]: each order goes into the first group with room for it, from the last one that shares a key on.
fn packed(orders: &[Pending]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for order in orders {
        let last = groups.iter().rposition(|group| share(group, &[order]));
        let fits = |n: &usize| {
            let with = [groups[*n].as_slice(), &[order]].concat();
            let bytes: usize = with.iter().map(|order| order.bytes).sum();
            with.len() + keys(&with).len() <= MAX_ACTIONS && bytes <= MAX_BYTES
        };
        match (last.unwrap_or(0)..groups.len()).find(fits) {
            Some(n) => groups[n].push(order),
            None => groups.push(vec![order]),
        }
    }
    groups
}

/// Specifies [`chain`]: each group joins all chains that share a key with it.
fn chained<'a>(groups: &[Group<'a>]) -> Vec<Vec<Group<'a>>> {
    let mut chains: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        let shares = |chain: &Vec<Group>| chain.iter().any(|other| share(other, group));
        let (joined, apart): (Vec<_>, Vec<_>) = chains.into_iter().partition(shares);
        let mut joined = joined.concat();
        joined.push(group.clone());
        joined.sort_by_key(|group| group[0].record);
        chains = [apart, vec![joined]].concat();
    }
    chains.sort_by_key(|chain| chain[0][0].record);
    chains
}

/// Returns the records of groups.
fn records(groups: &[Group]) -> Vec<Vec<usize>> {
    let records = |group: &Group| group.iter().map(|order| order.record.0).collect();
    groups.iter().map(records).collect()
}

#[test]
fn fifty_orders_for_one_key_are_one_transaction() {
    let orders: Vec<_> = (0..50).map(|n| pending(n, &[1], 300)).collect();
    assert_eq!(pack(&orders).len(), 1);
}

#[test]
fn fifty_orders_of_a_key_each_are_one_transaction() {
    let orders: Vec<_> = (0..50).map(|n| pending(n.into(), &[n], 300)).collect();
    assert_eq!(pack(&orders).len(), 1);
}

#[test]
fn a_hundred_and_one_actions_are_two_transactions() {
    let mut orders: Vec<_> = (0..50).map(|n| pending(n.into(), &[n], 300)).collect();
    orders[7] = pending(7, &[7, 99], 300);
    assert_eq!(pack(&orders).len(), 2);
}

#[test]
fn large_orders_are_split_by_size() {
    let orders: Vec<_> = (0..50).map(|n| pending(n, &[1], 131_072)).collect();
    assert_eq!(pack(&orders).len(), 2);
    assert_eq!(chain(pack(&orders)).len(), 1);
}

#[test]
fn only_groups_that_share_a_key_wait_for_each_other() {
    let orders = [
        pending(0, &[1], 1),
        pending(1, &[2], 1),
        pending(2, &[3], 1),
        pending(3, &[1, 2], 1),
    ];
    let chains = chain(orders.iter().map(|order| vec![order]).collect());
    let chains: Vec<_> = chains.iter().map(|chain| records(chain).concat()).collect();
    assert_eq!(chains, [vec![0, 1, 3], vec![2]]);
}

proptest! {
    #[test]
    fn orders_are_packed_and_chained_as_specified(
        orders in vec((prop_oneof![vec(0..60_u8, 0..3), vec(0..200_u8, 40..60)], 1..200_000_usize), 0..60)
    ) {
        let orders: Vec<_> =
            orders.iter().enumerate().map(|(n, (keys, bytes))| pending(n, keys, *bytes)).collect();
        let groups = pack(&orders);
        prop_assert_eq!(records(&groups), records(&packed(&orders)));
        let alone = orders.iter().map(|order| vec![order]).collect();
        for groups in [groups, alone] {
            let expected = chained(&groups);
            let expected: Vec<_> = expected.iter().map(|chain| records(chain)).collect();
            let chains: Vec<_> = chain(groups).iter().map(|chain| records(chain)).collect();
            prop_assert_eq!(chains, expected);
        }
    }

    #[test]
    fn groups_keep_the_limits_and_the_order_of_arrival(
        orders in vec((vec(0..60_u8, 1..40), 1..200_000_usize), 0..50)
    ) {
        let orders: Vec<_> =
            orders.iter().enumerate().map(|(n, (keys, bytes))| pending(n, keys, *bytes)).collect();
        let groups = pack(&orders);
        for group in &groups {
            // DynamoDB's own limits, in case the constants above are wrong.
            prop_assert!(group.len() + keys(group).len() <= 100);
            prop_assert!(group.iter().map(|order| order.bytes).sum::<usize>() <= 4_000_000);
            prop_assert!(group.is_sorted_by_key(|order| order.record));
        }
        let mut records: Vec<_> = groups.iter().flatten().map(|order| order.record.0).collect();
        records.sort_unstable();
        prop_assert_eq!(records, (0..orders.len()).collect::<Vec<_>>());

        // Orders that share a key are written in sequence of arrival.
        let written = chain(groups).concat().concat();
        for (n, order) in written.iter().enumerate() {
            for later in &written[n + 1..] {
                prop_assert!(!share(&[order], &[later]) || order.record < later.record);
            }
        }
    }
}
