//! Orders into as few transactions as the limits allow. Pure.

use events::OrderPlaced;
use std::collections::{HashMap, HashSet};

/// The most actions of a transaction.
const MAX_ACTIONS: usize = 100;
/// The most bytes of a transaction's items: 4 MB, less a little for the articles' rows.
const MAX_BYTES: usize = 3_900_000;

/// An order to be written, with where it came from.
#[derive(Debug)]
pub struct Pending {
    /// The record of the batch that it came in.
    pub record: usize,
    /// At least as many bytes as its row has.
    pub bytes: usize,
    /// Its receive count, this time included, or that of the copy that was received most.
    pub receives: u32,
    /// The order.
    pub placed: OrderPlaced,
}

/// The orders of one transaction, in the order of arrival.
pub type Group<'a> = Vec<&'a Pending>;

/// Packs orders into groups, each within a transaction's limits: one action an order and one an article. An order
/// never goes into an earlier group than one that it shares an article with and that arrived before it.
///
/// An order that is too large by itself gets a group by itself: the table says what is wrong with it.
pub fn pack<'a>(orders: impl IntoIterator<Item = &'a Pending>) -> Vec<Group<'a>> {
    #[derive(Default)]
    struct Open<'a> {
        orders: Group<'a>,
        skus: HashSet<&'a str>,
        bytes: usize,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut last_with: HashMap<&str, usize> = HashMap::new();
    for order in orders {
        let skus: HashSet<_> = order
            .placed
            .order
            .lines()
            .iter()
            .map(events::Line::sku)
            .collect();
        let fits = |group: &Open| {
            // Most are full, and a union is slow.
            let actions = group.orders.len() + 1 + group.skus.len();
            let more = || skus.difference(&group.skus).count();
            actions <= MAX_ACTIONS
                && group.bytes + order.bytes <= MAX_BYTES
                && actions + more() <= MAX_ACTIONS
        };
        let first = skus
            .iter()
            .filter_map(|sku| last_with.get(sku))
            .max()
            .copied()
            .unwrap_or(0);
        let chosen = (first..open.len())
            .find(|n| fits(&open[*n]))
            .unwrap_or_else(|| {
                open.push(Open::default());
                open.len() - 1
            });
        last_with.extend(skus.iter().map(|sku| (*sku, chosen)));
        open[chosen].orders.push(order);
        open[chosen].skus.extend(skus);
        open[chosen].bytes += order.bytes;
    }
    open.into_iter().map(|group| group.orders).collect()
}

/// Chains groups that share an article, directly or by others between them: those of one chain have to run one after
/// the other, because they would only conflict, and different chains can run at once.
pub fn chain(groups: Vec<Group<'_>>) -> Vec<Vec<Group<'_>>> {
    let mut chains: Vec<(HashSet<&str>, Vec<Group>)> = Vec::new();
    for group in groups {
        let lines = group.iter().flat_map(|order| order.placed.order.lines());
        let mut skus: HashSet<_> = lines.map(events::Line::sku).collect();
        let (joined, apart) = chains
            .into_iter()
            .partition(|(others, _)| !others.is_disjoint(&skus));
        chains = apart;
        let mut members = Vec::new();
        for (others, earlier) in joined {
            skus.extend(others);
            members.extend::<Vec<_>>(earlier);
        }
        members.push(group);
        chains.push((skus, members));
    }
    chains.into_iter().map(|(_, groups)| groups).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use events::{Client, Fingerprint, Order, OrderIds, Secret};
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    pub(crate) fn pending(record: usize, skus: &[u8], bytes: usize) -> Pending {
        let lines: Vec<_> = skus
            .iter()
            .map(|sku| json!({"sku": format!("a{sku}"), "quantity": 1, "unit_price": 1}))
            .collect();
        let order = Order::parse(
            json!({"lines": lines, "currency": "EUR"})
                .to_string()
                .as_bytes(),
        );
        let order = order.expect("the test's orders are valid");
        let ids = OrderIds::new(Secret::new("s".repeat(32)).expect("long enough"), vec![]);
        let client = Client::anonymous();
        let mut random = [0; 12];
        random[..8].copy_from_slice(&record.to_be_bytes());
        let placed_at = "2026-11-22T09:00:00Z".parse().expect("a time");
        let fingerprint = Fingerprint::of(&order);
        let placed = OrderPlaced {
            id: ids.fresh(&client, random),
            client,
            placed_at,
            fingerprint,
            order,
        };
        Pending {
            record,
            bytes,
            receives: 1,
            placed,
        }
    }

    fn skus<'a>(group: &Group<'a>) -> HashSet<&'a str> {
        group
            .iter()
            .flat_map(|order| order.placed.order.lines())
            .map(events::Line::sku)
            .collect()
    }

    #[test]
    fn fifty_orders_for_one_article_are_one_transaction() {
        let orders: Vec<_> = (0..50).map(|n| pending(n, &[1], 300)).collect();
        assert_eq!(pack(&orders).len(), 1);
    }

    #[test]
    fn fifty_orders_of_an_article_each_are_one_transaction() {
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
    fn only_groups_that_share_an_article_wait_for_each_other() {
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
                orders.iter().enumerate().map(|(n, (skus, bytes))| pending(n, skus, *bytes)).collect();
            let groups = pack(&orders);
            for group in &groups {
                // As DynamoDB says, whatever the constants above are.
                prop_assert!(group.len() + skus(group).len() <= 100);
                prop_assert!(group.iter().map(|order| order.bytes).sum::<usize>() <= 4_000_000);
                prop_assert!(group.is_sorted_by_key(|order| order.record));
            }
            let mut records: Vec<_> = groups.iter().flatten().map(|order| order.record).collect();
            records.sort_unstable();
            prop_assert_eq!(records, (0..orders.len()).collect::<Vec<_>>());

            // Whoever shares an article is committed in the order of arrival, and within one chain.
            let chains = chain(groups);
            for (n, one) in chains.iter().enumerate() {
                for other in &chains[n + 1..] {
                    for group in other {
                        prop_assert!(one.iter().all(|earlier| skus(earlier).is_disjoint(&skus(group))));
                    }
                }
                for (n, group) in one.iter().enumerate() {
                    for later in one[n + 1..].iter().filter(|later| !skus(later).is_disjoint(&skus(group))) {
                        for (a, b) in group.iter().flat_map(|a| later.iter().map(move |b| (a, b))) {
                            let (a_skus, b_skus) = (skus(&vec![*a]), skus(&vec![*b]));
                            prop_assert!(a_skus.is_disjoint(&b_skus) || a.record < b.record);
                        }
                    }
                }
            }
        }
    }
}
