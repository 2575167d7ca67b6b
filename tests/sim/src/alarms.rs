//! The faults that alarms are for, each on a busy and on a quiet day: which alarm fires, and when. The README has the table
//! that `--alarms` prints.

use crate::{
    case::{Case, Fault, Load, Outage, OutageKind, Stack, Table, Weather},
    orders::Orders,
    run::run_recorded,
};
use anyhow::Result;
use events::OrderPlaced;
use local::template::{
    model::Place,
    watch::{Watch, watch},
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::{ScopedJoinHandle, available_parallelism, scope},
    time::Duration,
};

/// The minute by which each alarm fired, if it did.
pub type Fired = BTreeMap<String, u32>;

/// How long every fault lasts. Orders come the whole time.
const LASTS: Duration = Duration::from_mins(40);

/// The rate of orders on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// One every five seconds.
    Busy,
    /// One every three minutes.
    Quiet,
}

impl Day {
    /// Both kinds of day.
    pub const ALL: [Self; 2] = [Self::Busy, Self::Quiet];
}

/// A fault that lasts from the start of a run.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// The fault's name.
    pub name: &'static str,
    /// Adds the fault to a case.
    change: fn(&mut Case),
}

/// Every fault, after a day without any.
pub const ALL: [Trouble; 16] = [
    Trouble {
        name: "nothing",
        change: |_| {},
    },
    Trouble {
        name: "messages come twice, or back early",
        change: |case| {
            rate(case, Fault::DeliveredTwice, 0.2);
            rate(case, Fault::BackEarly, 0.05);
        },
    },
    Trouble {
        name: "changes of visibility are refused",
        change: |case| rate(case, Fault::VisibilityRefused, 1.0),
    },
    Trouble {
        name: "a tenth of writes is throttled, a tenth in conflict",
        change: |case| {
            rate(case, Fault::Throttled, 0.1);
            rate(case, Fault::Conflict, 0.1);
        },
    },
    Trouble {
        name: "of the calls, the bus's too, a tenth each is slow, late, cut off, too large",
        change: |case| {
            case.stack.bus = true;
            for fault in [Fault::Slow, Fault::Late, Fault::CutOff, Fault::TooLarge] {
                rate(case, fault, 0.1);
            }
        },
    },
    Trouble {
        name: "the table is down",
        change: |case| outage(case, OutageKind::Down),
    },
    Trouble {
        name: "the table throttles everything",
        change: |case| outage(case, OutageKind::Throttled),
    },
    Trouble {
        name: "the table doesn't answer",
        change: |case| outage(case, OutageKind::Silent),
    },
    Trouble {
        name: "the table takes half of what comes",
        change: |case| {
            case.load.lines = 50..=50;
            // The orders share no article, so none is written once for several orders: about 112 units an order.
            case.load.articles = 100_000;
            case.load.orders *= 4;
            let orders = u32::try_from(case.load.orders).unwrap_or(u32::MAX);
            case.table.units = Some((56 * orders).div_ceil(40 * 60));
            case.table.burst = Duration::from_mins(1);
        },
    },
    Trouble {
        name: "an article's row can't be written",
        change: |case| case.load.broken = case.load.articles / 20,
    },
    Trouble {
        name: "a message is no order",
        change: |case| case.load.poison = 1,
    },
    Trouble {
        name: "a message is of a later version",
        change: |case| case.load.later = 1,
    },
    Trouble {
        name: "a key is used for two orders",
        change: |case| case.load.other = 0.1,
    },
    Trouble {
        name: "workers can't start",
        change: |case| rate(case, Fault::CannotStart, 1.0),
    },
    Trouble {
        name: "workers are killed",
        change: |case| rate(case, Fault::KilledAtAwait, 0.5),
    },
    Trouble {
        name: "the event bus is down",
        change: |case| {
            case.stack.bus = true;
            outage(case, OutageKind::BusDown);
        },
    },
];

fn rate(case: &mut Case, fault: Fault, rate: f64) {
    case.weather.rates.insert(fault, rate);
}

fn outage(case: &mut Case, kind: OutageKind) {
    case.weather.outages.push(Outage {
        from: Duration::ZERO,
        until: LASTS,
        kind,
    });
}

/// Reads the alarms of the repository's template.
pub fn alarms() -> Result<Watch> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let overrides = BTreeMap::from([("OutcomeBus".to_owned(), "orders".to_owned())]);
    let place = Place {
        api: String::new(),
        services: String::new(),
    };
    watch(&template, &overrides, &place)
}

/// Runs every fault on both days, and returns which alarms fired. Threads share the work.
pub fn all(watch: &Watch) -> Vec<(&'static str, Day, Fired)> {
    let cases: Vec<_> = ALL
        .iter()
        .flat_map(|trouble| Day::ALL.map(|day| (trouble, day)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut fired = Vec::new();
        while let Some((trouble, day)) = cases.get(next.fetch_add(1, Relaxed)) {
            fired.push((trouble.name, *day, happen(trouble, *day, watch)));
        }
        fired
    };
    let threads = available_parallelism().map_or(1, usize::from);
    let mut all: Vec<_> = scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let fired = threads.into_iter().map(ScopedJoinHandle::join);
        fired
            .flat_map(|fired| fired.expect("no run panics"))
            .collect()
    });
    let place = |name| ALL.iter().position(|trouble| trouble.name == name);
    all.sort_by_key(|(name, day, _)| (place(*name), *day != Day::Busy));
    all
}

/// Runs a fault on such a day. Returns the minute by which each alarm fired, if it did, counted from the first message that is
/// at fault, or from the start.
fn happen(trouble: &Trouble, day: Day, watch: &Watch) -> Fired {
    let orders = match day {
        Day::Busy => 480,
        Day::Quiet => 13,
    };
    let mut case = Case {
        seed: 1,
        load: Load {
            over: LASTS,
            ..Load::of(orders, 2, 100)
        },
        stack: Stack::default(),
        table: Table::default(),
        weather: Weather {
            ends: LASTS,
            ..Weather::default()
        },
    };
    (trouble.change)(&mut case);
    let begin = begin(&case);
    let (_, metrics) = run_recorded(&case);
    let mut fired = metrics.fired(watch);
    for minute in fired.values_mut() {
        *minute = minute.saturating_sub(begin);
    }
    fired
}

/// The minute in which the first message at fault arrives, or 0.
fn begin(case: &Case) -> u32 {
    let Load {
        articles, broken, ..
    } = case.load;
    let broken: Vec<_> = (articles - broken..articles)
        .map(|article| format!("\"article-{article}\""))
        .collect();
    let messages = Orders::of(case).messages;
    let is_bad = |body: &String| {
        OrderPlaced::from_json(body).is_err() || broken.iter().any(|article| body.contains(article))
    };
    let first = messages.iter().position(is_bad).unwrap_or_default();
    let gap = LASTS.as_secs_f64() / 60.0 / f64::from(u32::try_from(messages.len()).unwrap_or(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let minute = (gap * f64::from(u32::try_from(first).unwrap_or_default())) as u32;
    minute
}

/// Lists alarms by the minute in which they fired: `3: Backlog, …`.
pub fn list(fired: &Fired) -> String {
    let mut by_minute = BTreeMap::<u32, Vec<&str>>::new();
    for (alarm, minute) in fired {
        let name = alarm.strip_suffix("Alarm").unwrap_or(alarm);
        by_minute.entry(*minute).or_default().push(name);
    }
    let minutes = by_minute
        .iter()
        .map(|(minute, alarms)| format!("{minute}: {}", alarms.join(", ")));
    minutes.collect::<Vec<_>>().join("; ")
}
