//! The function of the synchronous design: it writes the order, and takes its stock, before it answers. It has the same
//! rules, the same transaction and the same patience with DynamoDB as `process`, and no queue.

// The SDK's futures inside each other are deeper than the compiler expects.
#![recursion_limit = "256"]

use aws_sdk_dynamodb::Client;
use events::{Order, OrderIds, OrderPlaced, Outcome, order::NotAnOrder};
use ingest::{
    config,
    problem::Problem,
    request::{Event, Request},
    response::Response,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use process::{
    commit::commit, disposition::Disposition, effects::Effects, records::Pending, table::OrderTable,
};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// It stops writing this long before its invocation ends, and answers.
const MARGIN: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    config::init_logs();
    let (orders, articles) = (
        config::required("ORDERS_TABLE")?,
        config::required("ARTICLES_TABLE")?,
    );
    let table = &OrderTable::new(Client::new(&process::config::aws()?), orders, articles);
    let ids = &config::order_ids()?;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let end = UNIX_EPOCH + Duration::from_millis(event.context.deadline);
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        let deadline = Instant::now() + left.saturating_sub(MARGIN);
        place(table, ids, Request::from(event.payload), deadline).await
    }))
    .await
}

async fn place(
    table: &OrderTable,
    ids: &OrderIds,
    request: Request,
    deadline: Instant,
) -> Result<Response, Error> {
    let order = match Order::parse(request.body.as_deref().unwrap_or_default()) {
        Ok(order) => order,
        Err(NotAnOrder::NotJson(why)) => return Ok(Problem::NotJson(why).into()),
        Err(NotAnOrder::Invalid(faults)) => return Ok(Problem::InvalidOrder(faults).into()),
    };
    let mut random = [0; 12];
    getrandom::fill(&mut random)?;
    let id = ids.fresh(&request.client, random);
    let placed = OrderPlaced::new(id, request.client, SystemTime::now().into(), order);
    let pending = Pending {
        record: 0,
        bytes: 0,
        receives: 1,
        placed,
    };
    let chains = vec![vec![vec![&pending]]];
    let committed = commit(table, chains, deadline, Effects::REAL).await;
    let outcome = match committed.dispositions.first() {
        Some((_, Disposition::Stored(outcome))) => *outcome,
        // An answer that was lost: it says that the order was confirmed, which is no matter here.
        Some((_, Disposition::StoredBefore)) => Outcome::Confirmed,
        _ => return Ok(Problem::TableUnavailable.into()),
    };
    let body = json!({"id": id, "status": outcome.status()});
    Ok(Response::json(201, "application/json", &body))
}
