//! Clients who wait for their orders, each of whom asks when `ingest` tells it to.
//!
//! Orders are written in the order of arrival, so many a second, and nothing else is modelled: the rule alone decides how
//! many ask at a time, and how late a client knows.

use fastrand::Rng;
use ingest::wait::wait;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

/// An environment reads the backlog as often as this, in seconds.
const EVERY: f64 = 2.0;
/// Lateness counts for orders that waited longer than this, in seconds.
const LONG: f64 = 10.0;

/// Orders that come faster than they are written.
#[derive(Debug, Clone, Copy)]
pub struct Spike {
    /// Orders that arrive a second.
    pub arriving: f64,
    /// Seconds for which they arrive.
    pub lasts: f64,
    /// Orders that are written a second.
    pub written: f64,
    /// Seconds from the spike's beginning for which none is written.
    pub pause: f64,
    /// `StatusRequestsPerSecond`
    pub wanted: f64,
    /// Clients send the hint in the location of the 202 back.
    pub has_hint: bool,
    /// Decides all that happens by chance.
    pub seed: u64,
}

/// How often clients asked, and how late they knew.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// Requests for a status, for each order.
    pub gets: f64,
    /// The most of them in a second.
    pub most_gets: usize,
    /// The most orders in a second.
    pub most_posts: usize,
    /// How late clients knew, as a share of what their orders waited, ascending.
    late: Vec<f64>,
}

impl Waits {
    /// The lateness, as a share of an order's wait, that this part of the clients is within.
    pub fn late(&self, part: f64) -> f64 {
        let last = self.late.len().saturating_sub(1);
        let index = (count(last) * part).round();
        self.late.get(floor(index)).copied().unwrap_or_default()
    }
}

/// Lets the spike happen.
pub fn run(spike: &Spike) -> Waits {
    let mut rng = Rng::with_seed(spike.seed);
    let orders = floor(spike.arriving * spike.lasts);
    let mut arrived: Vec<_> = (0..orders).map(|_| rng.f64() * spike.lasts).collect();
    arrived.sort_unstable_by(f64::total_cmp);
    let mut written = Vec::with_capacity(orders);
    let mut free = spike.pause;
    for at in &arrived {
        free = f64::max(free, *at) + 1.0 / spike.written;
        written.push(free);
    }
    let waiting = |at: f64| {
        let before = |times: &[f64]| times.partition_point(|time| *time <= at);
        u64::try_from(before(&arrived) - before(&written)).unwrap_or_default()
    };
    let mut told = |now: f64, age: Option<f64>| {
        let seen = waiting(now - EVERY * rng.f64());
        let age = age.map(Duration::from_secs_f64);
        let wait = wait(Some(seen), spike.wanted, age, rng.f64());
        now + wait.as_secs_f64()
    };
    let mut asking = BinaryHeap::new();
    let mut posts = BTreeMap::<usize, usize>::new();
    for (order, now) in arrived.iter().enumerate() {
        *posts.entry(floor(*now)).or_default() += 1;
        asking.push(Reverse((micros(told(*now, None)), order)));
    }
    let mut gets = BTreeMap::<usize, usize>::new();
    let mut late = Vec::new();
    while let Some(Reverse((at, order))) = asking.pop() {
        let now = Duration::from_micros(at).as_secs_f64();
        *gets.entry(floor(now)).or_default() += 1;
        let waited = written[order] - arrived[order];
        if written[order] > now {
            let age = spike.has_hint.then(|| now - arrived[order]);
            asking.push(Reverse((micros(told(now, age)), order)));
        } else if waited > LONG {
            late.push((now - written[order]) / waited);
        }
    }
    late.sort_unstable_by(f64::total_cmp);
    Waits {
        gets: count(gets.values().sum()) / count(orders),
        most_gets: gets.values().copied().max().unwrap_or_default(),
        most_posts: posts.values().copied().max().unwrap_or_default(),
        late,
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn micros(seconds: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(seconds).as_micros()).unwrap_or(u64::MAX)
}

/// A number without its fraction. Negative ones, which there are none of, are zero.
fn floor(number: f64) -> usize {
    let whole = Duration::try_from_secs_f64(number).unwrap_or_default();
    usize::try_from(whole.as_secs()).unwrap_or(usize::MAX)
}
