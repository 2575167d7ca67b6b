//! Computes the cost of each design from its measured figures.

use super::{
    contestant::Role::{Ingest, Process},
    measure::{Measure, Results},
    ours,
    prices::{Dollars, Usage},
    report,
};

/// Milliseconds that SQS takes to store one message or ten.
const QUEUE_MILLIS: f64 = 8.0;
/// Milliseconds that DynamoDB takes for a transaction.
const TABLE_MILLIS: f64 = 5.0;

/// Makes the table of dollars for a million orders, for each contestant that has both functions.
pub fn table(results: &Results, names: &[&'static str]) -> String {
    let mut designs = Vec::new();
    for name in names {
        let title = |count| format!("{name}, {count} a request, batches of 50");
        if let Some(usage) = usage(
            results,
            name,
            Measure::WarmCpu,
            Measure::Sends,
            Measure::Logged,
            1.0,
        ) {
            designs.push((title(1), usage));
        }
        if *name == ours::NAME
            && let Some(usage) = usage(
                results,
                name,
                Measure::TenCpu,
                Measure::TenSends,
                Measure::TenLogged,
                10.0,
            )
        {
            designs.push((title(10), usage));
        }
    }
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
        "with REST API",
        "with HTTP API",
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
            dollars.with_rest_api(),
            dollars.with_http_api(),
        ];
        text += &report::row(&title, cells.into_iter().map(|cell| format!("{cell:.2}")));
    }
    text + "\n"
}

fn usage(
    results: &Results,
    name: &'static str,
    cpu: Measure,
    sends: Measure,
    logged: Measure,
    orders_a_request: f64,
) -> Option<Usage> {
    let of = |role, measure| Some(results.summary(role, name, measure)?.median);
    Some(Usage {
        orders_a_request,
        ingest_cpu_micros: of(Ingest, cpu)?,
        ingest_wait_millis: QUEUE_MILLIS,
        sends: of(Ingest, sends)?,
        orders_a_batch: 50.0,
        process_cpu_micros: of(Process, Measure::WarmCpu)?,
        process_wait_millis: TABLE_MILLIS * of(Process, Measure::Transactions)?,
        write_units: of(Process, Measure::WriteUnits)?,
        logged: of(Ingest, logged)? + of(Process, Measure::Logged)?,
    })
}
