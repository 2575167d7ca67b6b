//! The orders of a run. Pure: the same case yields the same orders.

use crate::{
    case::{Case, Copies, Load},
    clock,
};
use events::{
    Client, Order, OrderId, OrderIds, OrderPlaced, Secret,
    order::kit,
    placed::{TYPE, VERSION},
};
use fastrand::Rng;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The stock of an article that never sells out.
const PLENTY: u64 = 1_000_000_000;

/// An article that is added during the run, or never.
pub const LATER: &str = "later";

/// The messages of a run, and the stock for them.
#[derive(Debug)]
pub struct Orders {
    /// The bodies of messages, in the sequence in which they are sent.
    pub messages: Vec<String>,
    /// The bodies that arrive long after, and when, from the start. Sorted.
    pub copies: Vec<(Duration, String)>,
    /// The orders of each id: more than one, if a key was used twice.
    pub placed: BTreeMap<OrderId, Vec<OrderPlaced>>,
    /// The ids that more than one message has.
    pub several: BTreeSet<OrderId>,
    /// The stock of each article that orders want; `None`: not a number.
    pub stock: BTreeMap<String, Option<u64>>,
}

impl Orders {
    /// The orders of a case.
    pub fn of(case: &Case) -> Self {
        let Load {
            twice,
            other,
            poison,
            later,
            scarce,
            ..
        } = case.load;
        let rng = &mut Rng::with_seed(case.seed);
        let ids = OrderIds::new(Secret::new("s".repeat(32)).expect("long enough"), vec![]);
        let articles = Articles::new(&case.load);
        let (mut messages, mut placed) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        let mut several = BTreeSet::new();
        let gap = case.load.over / u32::try_from(case.load.orders.max(1)).unwrap_or(u32::MAX);
        for number in 0..case.load.orders {
            let client = Client::identified(format!("client-{}", number % 7));
            let id = ids.fresh(&client, std::array::from_fn(|_| rng.u8(..)));
            let orders = if rng.f64() < other { 2 } else { 1 };
            for n in 0..orders {
                let order = articles.order(rng, n);
                let placed_at =
                    clock::after(gap * u32::try_from(number).unwrap_or(u32::MAX)).into();
                let order = OrderPlaced::new(id, client.clone(), placed_at, order);
                let times = if rng.f64() < twice { 2 } else { 1 };
                for _ in 0..times {
                    messages.push(order.to_json());
                }
                if orders * times > 1 {
                    several.insert(id);
                }
                placed.entry(id).or_default().push(order);
            }
        }
        for n in 0..poison {
            messages.insert(rng.usize(..=messages.len()), format!("poison {n}"));
        }
        for n in 0..later {
            let message = json!({"type": TYPE, "version": VERSION + 1, "news": n});
            messages.insert(rng.usize(..=messages.len()), message.to_string());
        }
        let copies = copies(case, &placed);
        several.extend(copies.iter().map(|(_, order)| order.id()));
        let copies = copies.into_iter();
        let copies = copies.map(|(at, order)| (at, order.to_json())).collect();
        let stock = articles.stock(&placed, scarce);
        Self {
            messages,
            copies,
            placed,
            several,
            stock,
        }
    }
}

/// The copies that arrive long after. They have their own random numbers: a case without them has the same orders.
fn copies(
    case: &Case,
    placed: &BTreeMap<OrderId, Vec<OrderPlaced>>,
) -> Vec<(Duration, OrderPlaced)> {
    let Some(Copies {
        share,
        retried,
        delayed,
    }) = case.load.copies
    else {
        return Vec::new();
    };
    let rng = &mut Rng::with_seed(!case.seed);
    let mut copies = Vec::new();
    for order in placed.values().flatten() {
        if rng.f64() >= share {
            continue;
        }
        let mut accepted = clock::passed(order.placed_at());
        let mut copy = order.clone();
        if let Some(retried) = retried {
            accepted += retried.mul_f64(rng.f64());
            let placed_at = clock::after(accepted).into();
            let (id, client) = (order.id(), order.client().clone());
            let order = order.order().clone();
            copy = OrderPlaced::new(id, client, placed_at, order);
        }
        copies.push((accepted + delayed.mul_f64(rng.f64()), copy));
    }
    copies.sort_by_key(|(at, _)| *at);
    copies
}

struct Articles<'a> {
    load: &'a Load,
    /// Running sums of 1/n, if demand is skewed towards the first articles.
    sums: Vec<f64>,
}

impl Articles<'_> {
    fn new(load: &Load) -> Articles<'_> {
        let count = if load.zipf { load.articles } else { 0 };
        let sums = (1..=count).scan(0.0, |sum, n| {
            #[expect(clippy::cast_precision_loss)]
            let share = 1.0 / n as f64;
            *sum += share;
            Some(*sum)
        });
        Articles {
            sums: sums.collect(),
            load,
        }
    }

    fn draw(&self, rng: &mut Rng) -> usize {
        match self.sums.last() {
            Some(all) => {
                let point = rng.f64() * all;
                self.sums.partition_point(|sum| *sum <= point)
            }
            None => rng.usize(..self.load.articles),
        }
        .min(self.load.articles - 1)
    }

    fn order(&self, rng: &mut Rng, number: usize) -> Order {
        let wanted = rng.usize(self.load.lines.clone());
        let mut articles = Vec::new();
        // With fewer articles than lines, some article is on several lines.
        for _ in 0..wanted {
            let article = self.draw(rng);
            let taken = articles.contains(&article) && wanted <= self.load.articles;
            articles.push(if taken { self.draw(rng) } else { article });
        }
        let mut claims: Vec<_> = articles
            .iter()
            .map(|n| (format!("article-{n}"), rng.u64(1..=3)))
            .collect();
        if self.load.added.is_some() && rng.u8(..4) == 0 {
            LATER.clone_into(&mut claims[0].0);
        }
        let claims: Vec<_> = claims
            .iter()
            .map(|(key, amount)| (&**key, *amount))
            .collect();
        let document = kit::tagged(kit::document_of(&claims), &format!("number-{number}"));
        Order::parse(document.to_string().as_bytes()).expect("an order")
    }

    fn stock(
        &self,
        placed: &BTreeMap<OrderId, Vec<OrderPlaced>>,
        scarce: bool,
    ) -> BTreeMap<String, Option<u64>> {
        let mut wanted = BTreeMap::<String, u64>::new();
        for order in placed.values().flatten() {
            for (key, amount) in order.order().claims() {
                *wanted.entry(key.to_owned()).or_default() += amount;
            }
        }
        wanted.remove(LATER);
        let broken = self.load.articles - self.load.broken.min(self.load.articles - 1);
        let in_stock = |n: usize, (key, wanted): (String, u64)| {
            let number: usize = key.trim_start_matches("article-").parse().unwrap_or(0);
            let stock = match number {
                number if number >= broken => None,
                _ if scarce && n % 2 == 1 => Some(wanted / 2),
                _ => Some(PLENTY),
            };
            (key, stock)
        };
        wanted
            .into_iter()
            .enumerate()
            .map(|(n, wanted)| in_stock(n, wanted))
            .collect()
    }
}
