//! Clients who wait for their orders and honour `ingest`'s `Retry-After`.
//!
//! Environments of the function `status` know only the orders that they were asked for. Orders are written at a fixed rate, in
//! sequence of arrival, except for those that come late or overtake others. Nothing else is modelled: the rule alone decides
//! how many clients poll at a time, and how late they learn their outcome.

mod cases;

pub use cases::{Case, all};
use events::{Client, Timestamp};
use fastrand::Rng;
use ingest::wait::{FIRST, Waits as Rule};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    ops::Range,
    time::{Duration, UNIX_EPOCH},
};

/// Lateness counts for orders that waited longer than this, in seconds.
const LONG: f64 = 10.0;
/// An order is written this long after its turn, in seconds, with its batch.
const WRITE: f64 = 0.5;
/// A message comes back after this time, in seconds.
const VISIBILITY: f64 = 185.0;

/// Orders that arrive faster than they are written.
#[derive(Debug, Clone)]
pub struct Spike {
    /// The orders that arrive per second, and the times between which they do.
    pub arriving: Vec<(f64, Range<f64>)>,
    /// The orders that are written per second.
    pub written: f64,
    /// The time during which none is written.
    pub pause: Range<f64>,
    /// The number of environments of the function `status`.
    pub environments: usize,
    /// The number of clients. All but the first behave alike.
    pub clients: usize,
    /// The share of all orders that are the first client's. SQS lets them overtake the others'.
    pub overtaking: f64,
    /// The orders of the first client that are written per second, beside the others'.
    pub overtaking_written: f64,
    /// The share of orders that are delivered again, up to three times.
    pub redelivered: f64,
    /// The share of orders that end as `failed`, after half an hour.
    pub failed: f64,
    /// The average delay of an order's write, in seconds: its batch was throttled.
    pub delayed: f64,
    /// How many orders are written together, as a batch, and the seconds within which the batch is written after its turn.
    pub batches: Option<(usize, f64)>,
    /// Orders in one request, which are also read in one request.
    pub batch: usize,
    /// Whether clients send back the hint in the location of the 202.
    pub has_hint: bool,
    /// Seeds all randomness.
    pub seed: u64,
}

/// How often clients polled, and how late they learnt their outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// Requests for a status per request with orders.
    pub gets: f64,
    /// Maximum number of requests for a status in a second.
    pub most_gets: f64,
    /// Maximum number of requests with orders in a second.
    pub most_posts: f64,
    /// How late clients learnt their outcomes, as a fraction of the time that their orders waited, in ascending order.
    late: Vec<f64>,
}

impl Waits {
    /// The lateness, as a share of an order's wait, that this share of the clients stays within.
    pub fn late(&self, part: f64) -> f64 {
        let last = self.late.len().saturating_sub(1);
        let index = (count(last) * part).round();
        self.late.get(floor(index)).copied().unwrap_or_default()
    }

    /// The peak rate of requests for a status ÷ the peak rate of requests with orders.
    pub fn peak(&self) -> f64 {
        self.most_gets / self.most_posts
    }
}

/// Orders that were sent in one request.
struct Sent {
    client: Client,
    placed: f64,
    /// When each order has its row, and whether the queue had reached that row by then.
    rows: Vec<(f64, bool)>,
}

impl Sent {
    /// The time at which the last order has its row.
    fn written(&self) -> f64 {
        self.rows.iter().map(|(at, _)| *at).fold(0.0, f64::max)
    }
}

/// Simulates the spike.
pub fn run(spike: &Spike) -> Waits {
    let mut rng = Rng::with_seed(spike.seed);
    let requests = requests(spike, &mut rng);
    let mut environments: Vec<_> = (0..spike.environments).map(|_| Rule::default()).collect();
    let mut asking = BinaryHeap::new();
    let mut posts = BTreeMap::<usize, usize>::new();
    for (index, sent) in requests.iter().enumerate() {
        *posts.entry(floor(sent.placed)).or_default() += 1;
        asking.push(Reverse((micros(sent.placed) + FIRST.as_micros(), index)));
    }
    let mut gets = BTreeMap::<usize, usize>::new();
    let mut late = Vec::new();
    while let Some(Reverse((at, index))) = asking.pop() {
        let now = Duration::from_micros(u64::try_from(at).unwrap_or(u64::MAX)).as_secs_f64();
        *gets.entry(floor(now)).or_default() += 1;
        let sent = &requests[index];
        let rule = &mut environments[rng.usize(..spike.environments)];
        for (written, _) in sent
            .rows
            .iter()
            .filter(|(at, reached)| *reached && *at <= now)
        {
            rule.settled(&sent.client, time(sent.placed), time(*written), time(now));
        }
        let written = sent.written();
        if written > now {
            let hint = spike.has_hint.then(|| time(sent.placed));
            let wait = rule.wait(&sent.client, hint, time(now), rng.f64());
            asking.push(Reverse((at + wait.as_micros(), index)));
        } else if written - sent.placed > LONG {
            late.push((now - written) / (written - sent.placed));
        }
    }
    if std::env::var("SERIES").is_ok() {
        for (s, n) in &gets {
            if *s < 110 {
                eprint!("{s}:{n} ");
            }
        }
        eprintln!();
    }
    late.sort_unstable_by(f64::total_cmp);
    let most = |seconds: &BTreeMap<usize, usize>| {
        count(seconds.values().copied().max().unwrap_or_default())
    };
    Waits {
        gets: count(gets.values().sum()) / count(requests.len()),
        most_gets: most(&gets),
        most_posts: most(&posts),
        late,
    }
}

/// Draws the orders, by arrival, and when each of them is written.
fn requests(spike: &Spike, rng: &mut Rng) -> Vec<Sent> {
    let mut sent = Vec::new();
    for (rate, between) in &spike.arriving {
        let lasts = between.end - between.start;
        for _ in 0..floor(rate * lasts / count(spike.batch)) {
            let is_quiet = rng.f64() < spike.overtaking;
            let client = if is_quiet {
                0
            } else {
                rng.usize(1..=spike.clients)
            };
            sent.push((between.start + rng.f64() * lasts, client));
        }
    }
    sent.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = [0.0; 2];
    let (mut left, mut batch_at) = (0, 0.0);
    let mut row = |placed: f64, client: usize, rng: &mut Rng| {
        let (free, rate) = match client {
            0 => (&mut free[0], spike.overtaking_written),
            _ => (&mut free[1], spike.written),
        };
        *free = f64::max(*free, placed) + 1.0 / rate;
        if spike.pause.contains(free) {
            *free = spike.pause.end;
        }
        let mut written = *free + WRITE;
        if let Some((orders, within)) = spike.batches {
            if left == 0 {
                (left, batch_at) = (orders, *free + WRITE + within * rng.f64());
            }
            left -= 1;
            written = f64::max(batch_at, placed + WRITE);
        }
        written -= spike.delayed * (1.0 - rng.f64()).ln();
        if rng.f64() < spike.redelivered {
            written += VISIBILITY * count(rng.usize(1..=3));
        }
        let has_failed = rng.f64() < spike.failed;
        (
            if has_failed {
                placed + 10.0 * VISIBILITY
            } else {
                written
            },
            !has_failed,
        )
    };
    sent.into_iter()
        .map(|(placed, client)| Sent {
            client: Client::identified(client.to_string()),
            placed,
            rows: (0..spike.batch).map(|_| row(placed, client, rng)).collect(),
        })
        .collect()
}

fn time(seconds: f64) -> Timestamp {
    (UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(seconds)).into()
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn micros(seconds: f64) -> u128 {
    Duration::from_secs_f64(seconds).as_micros()
}

/// A number without its fraction. Negative numbers, which don't occur, become zero.
fn floor(number: f64) -> usize {
    let whole = Duration::try_from_secs_f64(number).unwrap_or_default();
    usize::try_from(whole.as_secs()).unwrap_or(usize::MAX)
}
