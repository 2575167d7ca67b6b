//! Draws the faults of a seed.

use super::pick;
use crate::case::{Case, Fault, Outage, OutageKind, Weather};
use fastrand::Rng;
use std::time::Duration;

/// An outage's length, in seconds, to draw from: mostly short, because a long one slows the run.
const LASTING: [u64; 20] = [
    1, 1, 1, 1, 3, 3, 3, 3, 10, 10, 10, 10, 10, 30, 30, 30, 60, 60, 180, 600,
];

/// Faults of the tables, in an outage.
const TABLES: [OutageKind; 4] = [
    OutageKind::Down,
    OutageKind::Throttled,
    OutageKind::HotPartition,
    OutageKind::Silent,
];
/// Faults of the event bus, in an outage.
const BUS: [OutageKind; 3] = [
    OutageKind::BusDown,
    OutageKind::BusThrottled,
    OutageKind::BusSilent,
];

/// Draws the faults of a case: of six, one is calm, two have an outage, one has random faults, and two have both.
pub fn draw(case: &Case, rng: &mut Rng) -> Weather {
    let kind = rng.u8(..6);
    let (has_outage, has_chance) = (kind > 1, matches!(kind, 1 | 4 | 5));
    let mut weather = Weather {
        clocks: Duration::from_secs(pick(rng, &[0, 0, 2])),
        ..Weather::default()
    };
    if has_outage {
        weather.outages.push(outage(case, rng));
    }
    if has_chance {
        let ends = Duration::from_secs(pick(rng, &[5, 30, 120, 600]));
        weather.ends = ends.max(weather.over());
        add_chance(case, &mut weather, rng);
    }
    weather
}

/// Draws an outage that begins at any time until the orders are settled, roughly.
fn outage(case: &Case, rng: &mut Rng) -> Outage {
    let busy = case.load.over + case.work() * 2 + Duration::from_secs(3);
    let from = busy.mul_f64(rng.f64());
    let lasts = Duration::from_secs(pick(rng, &LASTING));
    let is_bus = case.stack.bus && rng.u8(..3) == 0;
    Outage {
        from,
        until: from + lasts,
        kind: pick(rng, if is_bus { &BUS } else { &TABLES }),
    }
}

fn add_chance(case: &Case, weather: &mut Weather, rng: &mut Rng) {
    let mut add = |fault, rates: &[f64]| {
        let rate = pick(rng, rates);
        if rate > 0.0 {
            weather.rates.insert(fault, rate);
        }
    };
    for fault in Fault::ALL {
        add(fault, &[0.0, 0.02, 0.1]);
    }
    add(Fault::BackEarly, &[0.0, 0.0, 0.02, 0.3]);
    // In few cases only: an old worker is allowed what would be a fault in others, and could hide it.
    add(Fault::OldWorker, &[0.0, 0.0, 0.0, 0.3]);
    if case.stack.bus {
        for fault in Fault::BUS {
            add(fault, &[0.0, 0.02, 0.3]);
        }
    }
}

/// Draws an outage of 25 minutes or an hour, for a heavy case.
pub fn long_outage(case: &Case, rng: &mut Rng) -> Outage {
    let from = (case.work() * 2).mul_f64(rng.f64());
    Outage {
        from,
        until: from + Duration::from_mins(pick(rng, &[25, 60])),
        kind: pick(
            rng,
            &[OutageKind::Down, OutageKind::Throttled, OutageKind::Silent],
        ),
    }
}
