//! Packing and chaining, by examples and by properties.

use super::*;
use crate::faked;
use proptest::{collection::vec, prelude::*};

fn pending(record: usize, keys: &[u8], bytes: usize) -> Pending {
    Pending {
        bytes,
        ..faked::pending(record, keys)
    }
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
    let records: Vec<Vec<_>> = chains
        .iter()
        .map(|chain| chain.iter().map(|group| group[0].record).collect())
        .collect();
    assert_eq!(records, [vec![2], vec![0, 1, 3]]);
}

proptest! {
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
        let mut records: Vec<_> = groups.iter().flatten().map(|order| order.record).collect();
        records.sort_unstable();
        prop_assert_eq!(records, (0..orders.len()).collect::<Vec<_>>());

        // Orders that share a key are committed in sequence of arrival, and within one chain.
        let chains = chain(groups);
        for (n, one) in chains.iter().enumerate() {
            for other in &chains[n + 1..] {
                for group in other {
                    prop_assert!(one.iter().all(|earlier| keys(earlier).is_disjoint(&keys(group))));
                }
            }
            for (n, group) in one.iter().enumerate() {
                for later in one[n + 1..].iter().filter(|later| !keys(later).is_disjoint(&keys(group))) {
                    for (a, b) in group.iter().flat_map(|a| later.iter().map(move |b| (a, b))) {
                        let (a_keys, b_keys) = (keys(&[*a]), keys(&[*b]));
                        prop_assert!(a_keys.is_disjoint(&b_keys) || a.record < b.record);
                    }
                }
            }
        }
    }
}
