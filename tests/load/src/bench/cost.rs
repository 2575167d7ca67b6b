//! Computes the cost of each design from its measured figures.

use super::{
    contestant::Role::{Ingest, Process, Status},
    measure::{Measure, Results},
    ours,
    prices::{Dollars, Polls, Usage},
    report,
};

/// The milliseconds that SQS takes to store one message or ten.
const QUEUE_MILLIS: f64 = 8.0;
/// The milliseconds that DynamoDB takes for a transaction, or for a read.
const TABLE_MILLIS: f64 = 5.0;
/// The status requests that an order needs in the spike, from RESULTS.md, for 130 statuses a second.
const POLLS: f64 = 1.65;

/// Makes the table of dollars per million orders, for each contestant that has both functions.
pub fn table(results: &Results, names: &[&'static str]) -> String {
    let designs = names.iter().flat_map(|name| {
        let counts = if *name == ours::NAME {
            &COUNTS[..]
        } else {
            &COUNTS[..1]
        };
        counts.iter().filter_map(move |count| {
            let usage = usage(results, name, count)?;
            let orders = count.orders;
            Some((format!("{name}, {orders} a request, batches of 50"), usage))
        })
    });
    let designs: Vec<_> = designs.collect();
    if designs.is_empty() {
        return String::new();
    }
    let mut text = "### Dollars per million orders, at list prices of us-east-1\n\n".to_owned();
    let columns = [
        "REST API",
        "or HTTP API",
        "Lambda",
        "SQS",
        "DynamoDB",
        "logs",
        "GETs with REST API",
        "or HTTP API",
        "all with REST API",
        "all with HTTP API",
    ];
    text += &report::row("", columns.iter().map(|name| (*name).to_owned()));
    text += &report::row("---", columns.iter().map(|_| "---:".to_owned()));
    for (title, usage) in designs {
        let dollars = Dollars::of(&usage);
        let cells = [
            dollars.rest_api,
            dollars.http_api,
            dollars.lambda,
            dollars.sqs,
            dollars.dynamodb,
            dollars.logs,
            dollars.polls_rest,
            dollars.polls_http,
            dollars.with_rest_api(),
            dollars.with_http_api(),
        ];
        text += &report::row(&title, cells.into_iter().map(|cell| format!("{cell:.2}")));
    }
    let polls = format!("GETs: {POLLS} for each request with orders, as the spike needs.");
    text + "\n" + &polls + " Those of other designs aren't counted.\n\n"
}

/// The number of orders in a client's request, and the measures with their figures.
struct Count {
    orders: f64,
    cpu: Measure,
    sends: Measure,
    logged: Measure,
    /// The measures of `status`: CPU time, and bytes of log.
    status: (Measure, Measure),
}

const COUNTS: [Count; 3] = [
    Count {
        orders: 1.0,
        cpu: Measure::WarmCpu,
        sends: Measure::Sends,
        logged: Measure::Logged,
        status: (Measure::WarmCpu, Measure::Logged),
    },
    Count {
        orders: 10.0,
        cpu: Measure::TenCpu,
        sends: Measure::TenSends,
        logged: Measure::TenLogged,
        // Not measured for ten; these figures are higher.
        status: (Measure::WarmCpu, Measure::Logged),
    },
    Count {
        orders: 100.0,
        cpu: Measure::HundredCpu,
        sends: Measure::HundredSends,
        logged: Measure::HundredLogged,
        status: (Measure::HundredCpu, Measure::HundredLogged),
    },
];

fn usage(results: &Results, name: &'static str, count: &Count) -> Option<Usage> {
    let of = |role, measure| Some(results.summary(role, name, measure)?.median);
    let polls = || {
        let (cpu, logged) = count.status;
        Some(Polls {
            requests: POLLS,
            cpu_micros: of(Status, cpu)?,
            wait_millis: TABLE_MILLIS,
            logged: of(Status, logged)?,
        })
    };
    Some(Usage {
        orders_a_request: count.orders,
        ingest_cpu_micros: of(Ingest, count.cpu)?,
        ingest_wait_millis: QUEUE_MILLIS,
        sends: of(Ingest, count.sends)?,
        has_groups: name == ours::NAME,
        orders_a_batch: 50.0,
        process_cpu_micros: of(Process, Measure::WarmCpu)?,
        process_wait_millis: TABLE_MILLIS * of(Process, Measure::Transactions)?,
        write_units: of(Process, Measure::WriteUnits)?,
        logged: of(Ingest, count.logged)? + of(Process, Measure::Logged)?,
        polls: polls(),
    })
}
