//! Who gets the stock. Pure.

use events::{Order, Reason};
use std::collections::BTreeMap;

/// What is known of an article's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// So many pieces.
    Left(u64),
    /// The article doesn't exist.
    Unknown,
}

/// What an order gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All that it asked for.
    Confirmed,
    /// Nothing.
    Rejected(Reason),
}

/// Gives each order all that it asks for or nothing, in the order of arrival, as far as `stock` lasts. An article
/// that `stock` doesn't name is taken to have enough: whether it has, the table says when it is written.
pub fn allocate(orders: &[&Order], stock: &BTreeMap<String, Stock>) -> Vec<Verdict> {
    let mut left = stock.clone();
    let judge = |order: &&Order| {
        let wanted = order.quantities();
        let known = |sku: &str| left.get(sku).copied();
        if wanted.keys().any(|sku| known(sku) == Some(Stock::Unknown)) {
            return Verdict::Rejected(Reason::UnknownArticle);
        }
        let lacks =
            |(sku, quantity)| matches!(known(sku), Some(Stock::Left(pieces)) if pieces < quantity);
        if wanted.iter().any(|(sku, quantity)| lacks((sku, *quantity))) {
            return Verdict::Rejected(Reason::OutOfStock);
        }
        for (sku, quantity) in wanted {
            if let Some(Stock::Left(pieces)) = left.get_mut(sku) {
                *pieces -= quantity;
            }
        }
        Verdict::Confirmed
    };
    orders.iter().map(judge).collect()
}

/// How many pieces of each article the confirmed orders take together. A sum too large for a number stays at the
/// largest, which no stock covers, so that the orders are then judged one by one.
pub fn taken<'a>(orders: &[&'a Order], verdicts: &[Verdict]) -> BTreeMap<&'a str, u64> {
    let mut taken = BTreeMap::<_, u64>::new();
    let confirmed = orders
        .iter()
        .zip(verdicts)
        .filter(|(_, verdict)| **verdict == Verdict::Confirmed);
    for (sku, quantity) in confirmed.flat_map(|(order, _)| order.quantities()) {
        let sum = taken.entry(sku).or_default();
        *sum = sum.saturating_add(quantity);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    fn order(lines: &[(&str, u64)]) -> Order {
        let line = |(sku, quantity): &(&str, u64)| json!({"sku": sku, "quantity": quantity, "unit_price": 1});
        let lines: Vec<_> = lines.iter().map(line).collect();
        let body = json!({"lines": lines, "currency": "EUR"});
        Order::parse(body.to_string().as_bytes()).expect("the test's orders are valid")
    }

    fn check(orders: &[&[(&str, u64)]], stock: &[(&str, Stock)], expected: &[Verdict]) {
        let orders: Vec<_> = orders.iter().map(|lines| order(lines)).collect();
        let stock = stock
            .iter()
            .map(|(sku, stock)| ((*sku).to_owned(), *stock))
            .collect();
        assert_eq!(
            allocate(&orders.iter().collect::<Vec<_>>(), &stock),
            expected
        );
    }

    #[test]
    fn an_order_gets_all_or_nothing_in_the_order_of_arrival() {
        use Stock::{Left, Unknown};
        use Verdict::Confirmed;
        let out = Verdict::Rejected(Reason::OutOfStock);
        let unknown = Verdict::Rejected(Reason::UnknownArticle);
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
        // An article's lines add up, and an order that loses takes nothing.
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

    prop_compose! {
        fn any_order()(lines in vec((prop::sample::select(vec!["a", "b", "c", "d"]), 1..9_u64), 1..5)) -> Order {
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
            let orders: Vec<_> = orders.iter().collect();
            let verdicts = allocate(&orders, &stock);
            prop_assert_eq!(verdicts.len(), orders.len());
            for (sku, pieces) in taken(&orders, &verdicts) {
                let covered = match stock.get(sku) {
                    Some(Stock::Left(left)) => pieces <= *left,
                    Some(Stock::Unknown) => false,
                    None => true,
                };
                prop_assert!(covered, "{} of {}", pieces, sku);
            }
            // Each order was judged by what those before it had left: no fewer, and no more.
            for (n, order) in orders.iter().enumerate() {
                let before = taken(&orders[..n], &verdicts[..n]);
                let enough = order.quantities().into_iter().all(|(sku, quantity)| match stock.get(sku) {
                    Some(Stock::Left(left)) => left - before.get(sku).unwrap_or(&0) >= quantity,
                    Some(Stock::Unknown) => false,
                    None => true,
                });
                prop_assert_eq!(verdicts[n] == Verdict::Confirmed, enough);
            }
        }
    }
}
