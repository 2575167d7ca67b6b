//! The cases of the figures.

use super::Figure;
use crate::case::{Case, Load, Outage, OutageKind, Stack, Table, Weather};
use fastrand::Rng;
use std::time::Duration;

/// Every case of the README's table.
pub fn all() -> Vec<Figure> {
    let mut all = vec![long_orders(), spike()];
    all.extend([1, 10, 180].map(throttled));
    all.extend([1, 2, 10, 50].map(hot));
    for lines in [1, 5, 50] {
        all.extend(
            [OutageKind::Down, OutageKind::Throttled, OutageKind::Silent]
                .map(|kind| outage(kind, lines)),
        );
    }
    all.extend(sizes());
    all.extend([1, 5].map(|lines| outage(OutageKind::HotPartition, lines)));
    all.push(published_spike());
    all.extend([1, 310, 600].map(hour));
    all.extend(
        [
            OutageKind::BusDown,
            OutageKind::BusThrottled,
            OutageKind::BusSilent,
        ]
        .map(|kind| published(outage(kind, 5))),
    );
    all
}

fn case(load: Load, stack: Stack, table: Table, outages: Vec<Outage>) -> Case {
    Case {
        seed: 1,
        load,
        stack,
        table,
        weather: Weather {
            outages,
            ..Weather::default()
        },
    }
}

fn new_table() -> Table {
    Table {
        units: Some(4000),
        ..Table::default()
    }
}

fn named(name: impl Into<String>, case: Case) -> Figure {
    Figure {
        name: name.into(),
        case,
    }
}

/// 1,500 orders of 50 lines, on a new table.
fn long_orders() -> Figure {
    let load = Load::of(1500, 50, 100_000);
    named(
        "long-orders",
        case(load, Stack::default(), new_table(), vec![]),
    )
}

/// The spike of tests/load, a third as long.
fn spike() -> Figure {
    let load = Load {
        over: Duration::from_secs(20),
        zipf: true,
        ..Load::of(13_200, 1, 100)
    };
    let stack = Stack {
        workers: 2,
        ..Stack::default()
    };
    let table = Table {
        latency: Duration::from_millis(8),
        units: Some(400),
        ..Table::default()
    };
    named("spike", case(load, stack, table, vec![]))
}

/// Adds an event bus to a figure.
fn published(mut figure: Figure) -> Figure {
    figure.case.stack.bus = true;
    figure
}

/// The spike, with an event bus.
fn published_spike() -> Figure {
    Figure {
        name: "spike-published".to_owned(),
        ..published(spike())
    }
}

/// A new table throttles everything for this many seconds, with enough orders waiting.
fn throttled(seconds: u64) -> Figure {
    let from = Duration::from_secs(6);
    let outage = Outage {
        from,
        until: from + Duration::from_secs(seconds),
        kind: OutageKind::Throttled,
    };
    let load = Load::of(20_000, 2, 1000);
    named(
        format!("throttled-{seconds}s"),
        case(load, Stack::default(), new_table(), vec![outage]),
    )
}

/// Orders that all want the same articles, and this many workers.
fn hot(workers: usize) -> Figure {
    let stack = Stack {
        workers,
        ..Stack::default()
    };
    let load = Load::of(5000 + 300 * workers, 5, 20);
    named(
        format!("hot-{workers}"),
        case(load, stack, Table::default(), vec![]),
    )
}

/// 25 minutes without a table.
fn outage(kind: OutageKind, lines: usize) -> Figure {
    let from = Duration::from_secs(1);
    let outage = Outage {
        from,
        until: from + Duration::from_mins(25),
        kind,
    };
    let load = Load {
        over: Duration::from_mins(2),
        ..Load::of(500, lines, 100_000)
    };
    let name = format!("outage-{}-{lines}", format!("{kind:?}").to_lowercase());
    named(
        name,
        case(load, Stack::default(), new_table(), vec![outage]),
    )
}

/// Every size that makes batches hard.
fn sizes() -> Vec<Figure> {
    let mut sizes = Vec::new();
    let mut add = |name: &str, orders, lines, workers, batch, units| {
        let stack = Stack {
            workers,
            batch,
            ..Stack::default()
        };
        let table = Table {
            units: Some(units),
            ..Table::default()
        };
        let load = Load::of(orders, lines, 100_000);
        sizes.push(named(name, case(load, stack, table, vec![])));
    };
    add("100-workers", 6000, 50, 100, 50, 4000);
    add("batch-500", 6000, 50, 10, 500, 4000);
    add("batch-10000", 12_000, 20, 10, 10_000, 4000);
    add("400-units", 1500, 50, 10, 50, 400);
    add("400-units-20-lines", 1500, 20, 10, 50, 400);
    add("100-units", 600, 5, 10, 50, 100);
    add("100-units-50-lines", 600, 50, 10, 50, 100);
    add("40-units-50-lines", 1500, 50, 10, 50, 40);
    add("10-units-50-lines", 500, 50, 10, 50, 10);
    sizes
}

/// 600 orders of 50 lines on a table that takes them in eleven minutes, and an hour's outage that starts after this many
/// seconds: during their first deliveries, or during later ones.
fn hour(from: u64) -> Figure {
    let from = Duration::from_secs(from);
    let outage = Outage {
        from,
        until: from + HOUR,
        kind: OutageKind::Down,
    };
    let table = Table {
        units: Some(100),
        ..Table::default()
    };
    named(
        format!("hour-from-{}s", from.as_secs()),
        case(
            Load::of(600, 50, 100_000),
            Stack::default(),
            table,
            vec![outage],
        ),
    )
}

const HOUR: Duration = Duration::from_hours(1);

/// The same with fewer orders, which are fast to simulate: `seed` draws when an outage of this kind begins, up to the time
/// that the table needs for all of them.
pub fn hour_at_any_time(seed: u64, kind: OutageKind) -> Figure {
    let from = Rng::with_seed(seed).u64(..750);
    let mut figure = hour(from);
    let case = &mut figure.case;
    case.seed = seed;
    case.load.orders = 40;
    case.stack.workers = 2;
    case.table.units = Some(6);
    case.weather.outages[0].kind = kind;
    figure.name = format!("{}-{kind:?}", figure.name);
    figure
}
