//! Draws the case of a seed.

mod weather;

use super::{Case, Copies, Load, Stack, Table, Weather};
use fastrand::Rng;
use std::time::Duration;

/// A day.
const DAY: Duration = Duration::from_hours(24);

/// One seed in this many is heavy.
const HEAVY: u64 = 100;

impl Case {
    /// Draws the case of a seed: every size, and any faults.
    pub fn of(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let stack = stack(rng);
        let mut case = Self {
            seed,
            load: load(rng, &stack),
            stack,
            table: table(rng),
            weather: Weather::default(),
        };
        case.weather = weather::draw(&case, rng);
        if !case.weather.is_fair() {
            let most = case.stack.max_receives;
            case.stack.max_receives = pick(rng, &[most, most, most, 3, 1]);
        }
        add_copies(&mut case, rng);
        if seed.is_multiple_of(HEAVY) {
            make_heavy(&mut case, rng);
        }
        case
    }
}

/// In a sixth of the cases rows expire, clocks are wrong, and messages arrive after their rows have expired. In another sixth
/// messages arrive soon after the first ones.
fn add_copies(case: &mut Case, rng: &mut Rng) {
    let is_retried = rng.bool();
    let (share, retried, delayed) = match rng.u8(..6) {
        0 => {
            let keep = DAY * rng.u32(1..=4);
            case.stack.keep = Some(keep);
            case.weather.clocks = pick(rng, &[Duration::ZERO, DAY / 2]);
            (0.5, keep.mul_f64(1.25), 14 * DAY)
        }
        1 => {
            let delayed = pick(rng, &[Duration::from_mins(10), Duration::from_hours(2)]);
            (0.1, Duration::from_mins(10), delayed)
        }
        _ => return,
    };
    case.load.copies = Some(Copies {
        share,
        retried: is_retried.then_some(retried),
        delayed,
    });
}

/// Hundreds of orders that share few articles, for a new table or for one that needs minutes for them, alone or with a long
/// outage.
fn make_heavy(case: &mut Case, rng: &mut Rng) {
    let lines = pick(rng, &[5, 20, 50]);
    case.load = Load::of(rng.usize(300..500), lines, 100_000);
    case.stack = Stack::default();
    case.table.units = pick(rng, &[Some(4000), Some(4000), Some(100)]);
    case.table.burst = Duration::from_secs(1);
    case.weather = Weather::default();
    if rng.bool() {
        // Each worker retries each second, for an hour.
        case.stack.workers = 2;
        let outage = weather::long_outage(case, rng);
        case.weather.outages.push(outage);
    }
}

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

fn stack(rng: &mut Rng) -> Stack {
    Stack {
        workers: pick(rng, &[2, 2, 3, 5, 10, 10, 10, 100]),
        batch: pick(rng, &[10, 50, 50, 50, 500, 10_000]),
        bus: rng.u8(..3) == 0,
        ..Stack::default()
    }
}

fn load(rng: &mut Rng, stack: &Stack) -> Load {
    let lines = pick(rng, &[1..=1, 1..=3, 5..=5, 20..=20, 50..=50, 1..=50]);
    // Draws small runs, because there are thousands of them.
    let most = (1200 / lines.end()).clamp(20, 240);
    let least = stack.batch.min(most / 2).max(1);
    let fair = rng.bool();
    let articles = pick(rng, &[1, 20, 20, 1000, 100_000]);
    // An article whose row is broken fails some of the orders, but not all: each of them uses up its receives.
    let may_break = !fair && 3 * lines.end() < articles;
    Load {
        orders: rng.usize(least..=most),
        articles,
        lines,
        zipf: rng.bool(),
        scarce: rng.u8(..3) == 0,
        over: Duration::from_secs(pick(rng, &[0, 0, 10, 300])),
        twice: if fair { 0.0 } else { 0.1 },
        other: if fair { 0.0 } else { 0.05 },
        poison: if fair { 0 } else { rng.usize(..4) },
        later: usize::from(!fair),
        broken: if may_break { rng.usize(..2) } else { 0 },
        added: (rng.u8(..4) == 0).then(|| Duration::from_secs(rng.u64(..60))),
        copies: None,
    }
}

fn table(rng: &mut Rng) -> Table {
    Table {
        latency: Duration::from_millis(pick(rng, &[5, 8, 20, 50])),
        // Ranges from none to less than a large transaction costs.
        units: pick(
            rng,
            &[None, None, Some(4000), Some(4000), Some(400), Some(100)],
        ),
        burst: Duration::from_secs(pick(rng, &[1, 1, 10, 300])),
        partitions: pick(rng, &[1, 1, 4]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Fault;

    #[test]
    fn the_seeds_of_the_gate_draw_each_kind_of_trouble_often() {
        let cases: Vec<_> = (1..1001).map(Case::of).collect();
        let check = |kind: &str, least: usize, is: &dyn Fn(&Case) -> bool| {
            let count = cases.iter().filter(|case| is(case)).count();
            assert!(count >= least, "{kind}: {count} of 1,000");
        };
        let late = |case: &Case| {
            let mut outages = case.weather.outages.iter();
            outages.any(|outage| outage.from > Duration::from_secs(20))
        };
        let has = |fault| move |case: &Case| case.weather.rates.contains_key(&fault);
        check("no fault", 150, &|case| case.weather.over().is_zero());
        check("an outage after 20 s", 100, &late);
        check("such an outage and chance", 50, &|case| {
            late(case) && !case.weather.is_fair()
        });
        check("an outage and chance", 300, &|case| {
            !case.weather.outages.is_empty() && !case.weather.is_fair()
        });
        check("few deliveries", 100, &|case| case.stack.max_receives < 10);
        check("rows that expire", 100, &|case| case.stack.keep.is_some());
        check("clocks that are hours wrong", 50, &|case| {
            case.weather.clocks > Duration::from_hours(1)
        });
        check("copies", 200, &|case| case.load.copies.is_some());
        for fault in Fault::ALL {
            check(&format!("{fault:?}"), 200, &has(fault));
        }
        check("old workers", 50, &has(Fault::OldWorker));
        check("back early", 100, &has(Fault::BackEarly));
        for fault in Fault::BUS {
            check(&format!("{fault:?}"), 50, &has(fault));
        }
    }
}
