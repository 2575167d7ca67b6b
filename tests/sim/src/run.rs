//! Runs a case, and reconciles tables and queue with the orders.

use crate::{
    case::Case,
    clock,
    cloudwatch::{self, Metrics},
    orders::{LATER, Orders},
    queue::Queue,
    reconciliation,
    table::{Seen, Tables},
    trace::Trace,
    wire::Wire,
    workers,
};
use fastrand::Rng;
use std::time::Duration;
use tokio::{
    runtime::Builder,
    task::LocalSet,
    time::{Instant, sleep, sleep_until},
};

/// How often the run checks whether the queue is empty.
const LOOK: Duration = Duration::from_millis(500);

/// How many times in a run clients read their orders, apart from the moments at which rows change.
const READS: usize = 50;

/// How long after the order the first of these reads comes.
const FIRST_READ: Duration = Duration::from_millis(100);

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// The broken promises that were found.
    pub wrong: Vec<String>,
    /// The numbers of confirmed and of rejected orders.
    pub outcomes: (usize, usize),
    /// Orders that were dead before the redrive although nothing was wrong with them.
    pub dead: usize,
    /// The receive count of the message that was received most.
    pub most_receives: u32,
    /// How often a late worker hid a message that another had received since.
    pub disturbed: usize,
    /// The time at which the queue was empty, from the start.
    pub drained: Option<Duration>,
    pub seen: Seen,
    pub trace: Vec<String>,
}

/// Runs a case in virtual time on this thread.
pub fn run(case: &Case, trace: bool) -> Report {
    start(happen(case, Trace::new(trace), |_| {}))
}

/// Does the same, and returns the run's metrics.
pub fn run_recorded(case: &Case) -> (Report, Metrics) {
    let report = start(happen(case, Trace::new(false), cloudwatch::record));
    (report, cloudwatch::take().expect("it was recorded"))
}

fn start(run: impl Future<Output = Report>) -> Report {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run)
}

async fn happen(case: &Case, trace: Trace, record: impl FnOnce(&Wire)) -> Report {
    fastrand::seed(case.seed);
    let start = Instant::now();
    clock::start();
    let orders = Orders::of(case);
    let tables = Tables::new(case, &orders);
    let queue = Queue::new(case.stack.visibility, case.stack.max_receives);
    let wire = Wire::new(tables, queue, case.table.latency, trace.clone());
    record(&wire);
    workers::start(case, &wire);
    if let Some(added) = case.load.added {
        let wire = wire.clone();
        tokio::spawn(async move {
            sleep(added).await;
            let mut tables = wire.tables();
            tables.stock.insert(LATER.to_owned(), Some(1_000_000));
        });
    }
    spawn_reads(case, &orders, &wire);
    let copies = {
        let (wire, copies) = (wire.clone(), orders.copies.clone());
        tokio::spawn(async move {
            for (at, copy) in copies {
                sleep_until(start + at).await;
                wire.queue().send(copy);
            }
        })
    };
    let gap = case.load.over / u32::try_from(orders.messages.len().max(1)).unwrap_or(u32::MAX);
    for message in &orders.messages {
        wire.queue().send(message.clone());
        if !gap.is_zero() {
            sleep(gap).await;
        }
    }
    let mut wrong = Vec::new();
    let drained = drain(&wire, start, start + bound(case)).await;
    if drained.is_none() {
        let waiting = wire.queue().waiting();
        wrong.push(format!(
            "{waiting} messages still wait after the time limit"
        ));
    }
    let dead = reconciliation::dead(case, &orders, &wire.queue().dead);
    if case.must_lose_nothing() && dead > 0 {
        wrong.push(format!(
            "{dead} orders are dead, but nothing is wrong with them"
        ));
    }
    let most_receives = wire.queue().most_receives;
    if case.is_calm() && most_receives > 3 {
        wrong.push(format!("a message was received {most_receives} times"));
    }
    // No operator redrives before an alarm fires. When the faults are over, a redrive settles the dead letters.
    sleep(Duration::from_mins(5)).await;
    sleep_until(start + case.weather.over()).await;
    redrive(case, &wire, start, &mut wrong).await;
    if case.load.copies.is_some() {
        copies.await.expect("copies are sent without a panic");
        redrive(case, &wire, start, &mut wrong).await;
    }
    for id in orders.placed.keys() {
        wire.tables().read(&id.to_string());
    }
    let (tables, queue) = (wire.tables(), wire.queue());
    wrong.extend(tables.seen.wrong.iter().cloned());
    reconciliation::check(case, &orders, &tables, &queue.dead, &mut wrong);
    wire.bus().check(case, &tables, &mut wrong);
    let count = |status| {
        tables
            .rows
            .values()
            .filter(|row| row.status == status)
            .count()
    };
    Report {
        wrong,
        outcomes: (count("confirmed"), count("rejected")),
        dead,
        most_receives,
        disturbed: queue.disturbed,
        drained,
        seen: tables.seen.clone(),
        trace: trace.events(),
    }
}

/// Makes clients read their orders at random times: from a tenth of a second after they are placed until a quarter of an hour
/// after, or until the last copy.
fn spawn_reads(case: &Case, orders: &Orders, wire: &Wire) {
    let rng = &mut Rng::with_seed(case.seed.rotate_left(32));
    let placed: Vec<_> = orders.placed.values().flatten().collect();
    let copies = case.load.copies.map(|copies| copies.last());
    let last = copies.unwrap_or_default().max(Duration::from_mins(15));
    let read = |_| {
        let order = rng.choice(&placed)?;
        let after = FIRST_READ.mul_f64(last.div_duration_f64(FIRST_READ).powf(rng.f64()));
        Some((
            clock::passed(order.placed_at()) + after,
            order.id().to_string(),
        ))
    };
    let mut reads: Vec<_> = (0..READS).filter_map(read).collect();
    reads.sort();
    let (wire, start) = (wire.clone(), Instant::now());
    tokio::spawn(async move {
        for (at, id) in reads {
            sleep_until(start + at).await;
            wire.tables().read(&id);
        }
    });
}

/// Redrives the dead letters, and waits until the queue is empty.
async fn redrive(case: &Case, wire: &Wire, start: Instant, wrong: &mut Vec<String>) {
    wire.trace
        .say(|| "the dead letters are redriven".to_owned());
    wire.tables().reads.failed_may_change = true;
    wire.queue().redrive();
    let until = Instant::now() + bound(case);
    if drain(wire, start, until).await.is_none() && wrong.is_empty() {
        wrong.push("redriven messages still wait".to_owned());
    }
}

/// Waits until the queue is empty, and returns when it was.
async fn drain(wire: &Wire, start: Instant, until: Instant) -> Option<Duration> {
    while wire.queue().waiting() > 0 {
        if Instant::now() >= until {
            return None;
        }
        sleep(LOOK).await;
    }
    Some(start.elapsed())
}

/// The time limit of a run, from the start.
fn bound(case: &Case) -> Duration {
    let copies = case.load.copies.map(|copies| copies.last());
    // A worker that hangs when the faults end is killed a time-out later.
    let over = case.weather.over() + case.stack.timeout;
    let begin = over.max(case.load.over) + copies.unwrap_or_default();
    // Broken orders, poison, later versions and orders that are too old go through all their receives.
    let bad = case.load.poison + case.load.later + case.load.broken;
    let all = bad > 0 || !case.weather.is_fair() || case.stack.keep.is_some();
    let receives = if all { case.stack.max_receives } else { 0 };
    let receives = receives.max(3);
    begin + case.stack.visibility * receives + case.work().mul_f64(2.0) + Duration::from_mins(1)
}
