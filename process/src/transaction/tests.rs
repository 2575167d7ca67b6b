//! Decisions on orders, by examples and by properties.

use super::*;
use crate::{faked, stock::Found};
use proptest::{collection::vec, prelude::*};

/// An order with these claims.
fn order(lines: &[(&str, u64)]) -> Pending {
    faked::order(0, lines)
}

fn check(orders: &[&[(&str, u64)]], known: &[(&str, Found)], expected: &[Outcome]) {
    let orders: Vec<_> = orders.iter().map(|lines| order(lines)).collect();
    let known = known.iter().map(|(key, found)| ((*key).to_owned(), *found));
    let transaction = Transaction::decide(&orders.iter().collect(), &known.collect());
    let outcomes: Vec<_> = transaction
        .orders
        .iter()
        .map(|(_, outcome)| *outcome)
        .collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn an_order_gets_all_or_nothing_in_the_order_of_arrival() {
    use Found::{Left, Missing};
    use Outcome::Confirmed;
    check(
        &[&[("a", 1)], &[("a", 1)]],
        &[("a", Left(1))],
        &[Confirmed, Outcome::TOO_LITTLE],
    );
    check(
        &[&[("a", 2)], &[("a", 1)]],
        &[("a", Left(1))],
        &[Outcome::TOO_LITTLE, Confirmed],
    );
    // An order's claims of one key add up, and a rejected order takes nothing.
    check(
        &[&[("a", 1), ("a", 1)], &[("a", 1)]],
        &[("a", Left(1))],
        &[Outcome::TOO_LITTLE, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)], &[("a", 1)]],
        &[("a", Left(1)), ("b", Left(0))],
        &[Outcome::TOO_LITTLE, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)], &[("b", 1)]],
        &[("a", Missing)],
        &[Outcome::MISSING, Confirmed],
    );
    check(
        &[&[("a", 1), ("b", 1)]],
        &[("a", Left(0)), ("b", Missing)],
        &[Outcome::MISSING],
    );
    check(&[&[("a", 1_000_000)]], &[], &[Confirmed]);
}

#[test]
fn a_sum_that_is_too_large_for_a_number_is_one_that_no_row_covers() {
    // Such numbers can come from the queue, where the API's limits aren't checked again.
    let orders = [order(&[("a", u64::MAX)]), order(&[("a", 2)])];
    let transaction = Transaction::decide(&orders.iter().collect(), &Known::new());
    assert_eq!(transaction.claims["a"], u64::MAX);
    assert_eq!(transaction.actions(), 3);
}

prop_compose! {
    fn any_order()(lines in vec((prop::sample::select(vec!["a", "b", "c", "d"]), 1..9_u64), 1..5)) -> Pending {
        order(&lines)
    }
}

fn any_known() -> impl Strategy<Value = Known> {
    let found = prop_oneof![4 => (0..30_u64).prop_map(Found::Left), 1 => Just(Found::Missing)];
    prop::collection::btree_map("[abc]", found, 0..4)
}

proptest! {
    #[test]
    fn no_key_is_oversold_and_none_withheld(orders in vec(any_order(), 0..20), known in any_known()) {
        let transaction = Transaction::decide(&orders.iter().collect(), &known);
        prop_assert_eq!(transaction.orders.len(), orders.len());
        // Recomputes what the orders before each one claim.
        let mut before = BTreeMap::<&str, u64>::new();
        for ((judged, outcome), order) in transaction.orders.iter().zip(&orders) {
            prop_assert!(std::ptr::eq(*judged, order));
            let claims = order.placed.order().claims();
            // Each order is judged by exactly what those before it have left.
            let enough = claims.iter().all(|(key, amount)| match known.get(*key) {
                Some(Found::Left(left)) => left - before.get(key).unwrap_or(&0) >= *amount,
                Some(Found::Missing) => false,
                None => true,
            });
            prop_assert_eq!(*outcome == Outcome::Confirmed, enough);
            if enough {
                for (key, amount) in claims {
                    *before.entry(key).or_default() += amount;
                }
            }
        }
        prop_assert_eq!(transaction.claims, before);
    }
}
