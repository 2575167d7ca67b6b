//! The articles, and the demand for them.

use crate::orders::order;
use events::order::kit;
use fastrand::Rng;
use serde_json::Value;

/// An article that doesn't exist.
pub const UNKNOWN: &str = "storm-unknown";

/// An article that never sells out.
pub const PLENTY: &str = "storm-plenty";

const ARTICLES: usize = 40;

/// The number of well-stocked articles that appear only in long orders, each of which has some of them.
const LONG: usize = 400;

/// Articles whose demand falls with their rank by Zipf's law: one order in four has a line of the first.
pub struct Market {
    articles: Vec<Article>,
    long: Vec<String>,
}

struct Article {
    sku: String,
    in_stock: u64,
    /// The cumulative share of the demand, up to and including this article.
    until: f64,
}

impl Market {
    /// Stocks for this many orders. Every other article is scarce: most orders for it get none.
    pub fn new(orders: usize) -> Self {
        let weight = |rank: usize| 1.0 / f64::from(u32::try_from(rank + 1).unwrap_or(u32::MAX));
        let all: f64 = (0..ARTICLES).map(weight).sum();
        let (orders, mut until) = (orders as u64, 0.0);
        let article = |rank| {
            until += weight(rank) / all;
            let scarce = rank % 2 == 1;
            Article {
                sku: format!("storm-{rank:02}"),
                in_stock: if scarce {
                    orders / (rank as u64 + 1) / 2 + 1
                } else {
                    orders * 100
                },
                until,
            }
        };
        Self {
            articles: (0..ARTICLES).map(article).collect(),
            long: (0..LONG).map(|n| format!("storm-long-{n:03}")).collect(),
        }
    }

    /// The stock of each article at the start.
    pub fn stock(&self) -> impl Iterator<Item = (&str, u64)> {
        let articles = self.articles.iter();
        articles
            .map(|article| (&*article.sku, article.in_stock))
            .chain([(PLENTY, 1_000_000)])
            .chain(self.long.iter().map(|sku| (&**sku, 1_000_000)))
    }

    /// Makes an order unlike any other.
    pub fn order(&self, tag: &str, chance: &mut Rng) -> Value {
        let mut lines: Vec<_> = (0..chance.u64(1..=3))
            .map(|_| (self.sku(chance), quantity(chance)))
            .collect();
        if chance.u8(..20) == 0 {
            let more = chance.usize(15..=45);
            let long = chance.choose_multiple(self.long.iter(), more);
            lines.extend(long.into_iter().map(|sku| (&**sku, 1)));
        }
        if chance.u8(..50) == 0 {
            lines.push((UNKNOWN, 1));
        }
        named(&lines, tag)
    }

    fn sku(&self, chance: &mut Rng) -> &str {
        let dice = chance.f64();
        let article = self.articles.iter().find(|article| dice < article.until);
        article.map_or(PLENTY, |article| &article.sku)
    }
}

/// Mostly a few; now and then a huge order.
fn quantity(chance: &mut Rng) -> u64 {
    if chance.u8(..20) == 0 {
        chance.u64(20..=60)
    } else {
        chance.u64(1..=4)
    }
}

/// An order with this tag.
pub fn named(claims: &[(&str, u64)], tag: &str) -> Value {
    kit::tagged(order(claims), tag)
}
