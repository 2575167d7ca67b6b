//! The case of a seed.

use super::{Case, Fault, Load, Outage, OutageKind, Stack, Table, Weather};
use fastrand::Rng;
use std::time::Duration;

impl Case {
    /// The case of a seed: every size, and any weather.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let stack = stack(rng);
        let load = load(rng, &stack);
        let table = table(rng);
        let weather = weather(rng);
        let mut case = Self {
            seed,
            load,
            stack,
            table,
            weather,
        };
        if seed.is_multiple_of(HEAVY) {
            make_heavy(&mut case, rng);
        }
        add_bus(&mut case);
        add_back_early(&mut case);
        case
    }
}

/// A third of the cases tells outcomes on a bus, which has its own faults. Its chance is its own, so that a seed without a
/// bus stays the case that it was before there was one.
fn add_bus(case: &mut Case) {
    let mut rng = Rng::with_seed(!case.seed);
    case.stack.bus = rng.u8(..3) == 0;
    if !case.stack.bus {
        return;
    }
    let weather = &mut case.weather;
    if !weather.rates.is_empty() {
        for fault in Fault::BUS {
            let rate = pick(&mut rng, &[0.0, 0.02, 0.3]);
            weather.rates.insert(fault, rate);
        }
    } else if weather.outages.is_empty() && rng.bool() {
        let from = Duration::from_secs(rng.u64(..20));
        let lasts = Duration::from_secs(pick(&mut rng, &LASTING));
        let kinds = [
            OutageKind::BusDown,
            OutageKind::BusThrottled,
            OutageKind::BusSilent,
        ];
        weather.outages.push(Outage {
            from,
            until: from + lasts,
            kind: pick(&mut rng, &kinds),
        });
    }
}

/// Half of the cases with faults of chance has messages that come back early. Its chance is its own, as the bus's is.
fn add_back_early(case: &mut Case) {
    let mut rng = Rng::with_seed(case.seed.swap_bytes());
    let rate = pick(&mut rng, &[0.0, 0.0, 0.02, 0.3]);
    if rate > 0.0 && !case.weather.rates.is_empty() {
        case.weather.rates.insert(Fault::BackEarly, rate);
    }
}

/// One seed in this many is heavy: its run lasts as long as all the runs between.
const HEAVY: u64 = 100;

/// Hundreds of orders that share few articles, for a new table, alone or with a long outage.
fn make_heavy(case: &mut Case, rng: &mut Rng) {
    let lines = pick(rng, &[5, 20, 50]);
    case.load.orders = rng.usize(400..700);
    case.load.lines = lines..=lines;
    case.load.articles = 100_000;
    case.load.over = Duration::ZERO;
    case.stack = Stack::default();
    case.table.units = Some(4000);
    case.table.burst = Duration::from_secs(1);
    case.weather = Weather::default();
    if rng.bool() {
        let from = Duration::from_secs(rng.u64(..20));
        let kinds = [OutageKind::Down, OutageKind::Throttled, OutageKind::Silent];
        case.weather.outages.push(Outage {
            from,
            until: from + Duration::from_mins(25),
            kind: pick(rng, &kinds),
        });
    }
}

/// Draws an outage's length, in seconds: mostly short, because a long one takes a run its time.
const LASTING: [u64; 20] = [
    1, 1, 1, 1, 3, 3, 3, 3, 10, 10, 10, 10, 10, 30, 30, 30, 60, 60, 180, 1200,
];

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

fn stack(rng: &mut Rng) -> Stack {
    Stack {
        workers: pick(rng, &[2, 2, 3, 5, 10, 10, 10, 100]),
        batch: pick(rng, &[10, 50, 50, 50, 500, 10_000]),
        ..Stack::default()
    }
}

fn load(rng: &mut Rng, stack: &Stack) -> Load {
    let lines = pick(rng, &[1..=1, 1..=3, 5..=5, 20..=20, 50..=50, 1..=50]);
    // Small runs, and thousands of them.
    let most = (1500 / lines.end()).clamp(20, 300);
    let least = stack.batch.min(most / 2).max(1);
    let fair = rng.bool();
    Load {
        orders: rng.usize(least..=most),
        articles: pick(rng, &[1, 20, 20, 1000, 100_000]),
        lines,
        zipf: rng.bool(),
        scarce: rng.u8(..3) == 0,
        over: Duration::from_secs(pick(rng, &[0, 0, 10, 300])),
        twice: if fair { 0.0 } else { 0.1 },
        other: if fair { 0.0 } else { 0.05 },
        poison: if fair { 0 } else { rng.usize(..4) },
        later: usize::from(!fair),
        broken: if fair { 0 } else { rng.usize(..2) },
        added: (rng.u8(..4) == 0).then(|| Duration::from_secs(rng.u64(..60))),
    }
}

fn table(rng: &mut Rng) -> Table {
    Table {
        latency: Duration::from_millis(pick(rng, &[5, 8, 20, 50])),
        // From none to less than a large transaction costs.
        units: pick(
            rng,
            &[None, None, Some(4000), Some(4000), Some(400), Some(100)],
        ),
        burst: Duration::from_secs(pick(rng, &[1, 1, 10, 300])),
        partitions: pick(rng, &[1, 1, 4]),
    }
}

fn weather(rng: &mut Rng) -> Weather {
    let mut weather = Weather {
        ends: Duration::from_secs(pick(rng, &[5, 30, 120, 600])),
        ..Weather::default()
    };
    // A third is calm, a third has an outage, a third has faults of all kinds.
    match rng.u8(..3) {
        0 => {}
        1 => {
            let from = Duration::from_secs(rng.u64(..20));
            let lasts = Duration::from_secs(pick(rng, &LASTING));
            let kinds = [
                OutageKind::Down,
                OutageKind::Throttled,
                OutageKind::HotPartition,
                OutageKind::Silent,
            ];
            weather.outages.push(Outage {
                from,
                until: from + lasts,
                kind: pick(rng, &kinds),
            });
        }
        _ => {
            for fault in Fault::ALL {
                let rate = pick(rng, &[0.0, 0.02, 0.1]);
                if rate > 0.0 {
                    weather.rates.insert(fault, rate);
                }
            }
        }
    }
    weather
}
