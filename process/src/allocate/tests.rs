//! Allocation, by examples and by properties.

use super::*;
use crate::faked;
use proptest::{collection::vec, prelude::*};

/// An order for these articles in these quantities.
fn order(lines: &[(&str, u64)]) -> Pending {
    faked::order(0, lines)
}

fn check(orders: &[&[(&str, u64)]], stock: &[(&str, Stock)], expected: &[Outcome]) {
    let orders: Vec<_> = orders.iter().map(|lines| order(lines)).collect();
    let stock = stock
        .iter()
        .map(|(sku, stock)| ((*sku).to_owned(), *stock))
        .collect();
    let transaction = allocate(&orders.iter().collect(), &stock);
    let outcomes: Vec<_> = transaction
        .orders
        .iter()
        .map(|(_, outcome)| *outcome)
        .collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn an_order_gets_all_or_nothing_in_the_order_of_arrival() {
    use Outcome::Confirmed;
    use Stock::{Left, Unknown};
    let out = Outcome::Rejected(Reason::OutOfStock);
    let unknown = Outcome::Rejected(Reason::UnknownArticle);
    check(
        &[&[("a", 1)], &[("a", 1)]],
        &[("a", Left(1))],
        &[Confirmed, out],
    );
    check(
        &[&[("a", 2)], &[("a", 1)]],
        &[("a", Left(1))],
        &[out, Confirmed],
    );
    // An order's lines for one article add up, and a rejected order reserves nothing.
    check(
        &[&[("a", 1), ("a", 1)], &[("a", 1)]],
        &[("a", Left(1))],
        &[out, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)], &[("a", 1)]],
        &[("a", Left(1)), ("b", Left(0))],
        &[out, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)], &[("b", 1)]],
        &[("a", Unknown)],
        &[unknown, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)]],
        &[("a", Left(0)), ("b", Unknown)],
        &[unknown],
    );
    check(&[&[("a", 1_000_000)]], &[], &[Confirmed]);
}

#[test]
fn a_sum_that_is_too_large_for_a_number_is_one_that_no_stock_covers() {
    // Such numbers can come from the queue, where the API's limits aren't checked again.
    let orders = [order(&[("a", u64::MAX)]), order(&[("a", 2)])];
    let transaction = allocate(&orders.iter().collect(), &BTreeMap::new());
    assert_eq!(transaction.reserved["a"], u64::MAX);
    assert_eq!(transaction.actions(), 3);
}

prop_compose! {
    fn any_order()(lines in vec((prop::sample::select(vec!["a", "b", "c", "d"]), 1..9_u64), 1..5)) -> Pending {
        order(&lines)
    }
}

fn any_stock() -> impl Strategy<Value = BTreeMap<String, Stock>> {
    let stock = prop_oneof![4 => (0..30_u64).prop_map(Stock::Left), 1 => Just(Stock::Unknown)];
    prop::collection::btree_map("[abc]", stock, 0..4)
}

proptest! {
    #[test]
    fn stock_is_never_oversold_and_never_withheld(orders in vec(any_order(), 0..20), stock in any_stock()) {
        let transaction = allocate(&orders.iter().collect(), &stock);
        prop_assert_eq!(transaction.orders.len(), orders.len());
        // Recomputes what the orders before each one reserve.
        let mut before = BTreeMap::<&str, u64>::new();
        for ((judged, outcome), order) in transaction.orders.iter().zip(&orders) {
            prop_assert!(std::ptr::eq(*judged, order));
            let wanted = order.placed.order().quantities();
            // Each order is judged by exactly what those before it have left.
            let enough = wanted.iter().all(|(sku, quantity)| match stock.get(*sku) {
                Some(Stock::Left(left)) => left - before.get(sku).unwrap_or(&0) >= *quantity,
                Some(Stock::Unknown) => false,
                None => true,
            });
            prop_assert_eq!(*outcome == Outcome::Confirmed, enough);
            if enough {
                for (sku, quantity) in wanted {
                    *before.entry(sku).or_default() += quantity;
                }
            }
        }
        prop_assert_eq!(transaction.reserved, before);
    }
}
