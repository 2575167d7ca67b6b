//! The function of the synchronous design: it writes the order, and takes its stock, before it answers. It has the same rules
//! and the same transaction as `process`, retries DynamoDB for the same time, and has no queue.

// The SDK's nested futures are deeper than the compiler expects.
#![recursion_limit = "256"]

use anyhow::{Error, Result};
use aws_sdk_dynamodb::Client;
use events::{Order, OrderId, OrderIds, OrderPlaced, Outcome, order::NotAnOrder};
use function::{environment::required, logs};
use ingest::{config, problem::Problem, request, service};
use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
};
use lambda_runtime::run;
use process::{
    commit::commit,
    disposition::Disposition,
    effects::Effects,
    records::{Pending, Record},
    table::OrderTable,
};
use serde_json::json;
use std::{
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// How long before its invocation ends it stops writing, and answers.
const MARGIN: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    logs::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let (orders, articles) = (required("ORDERS_TABLE")?, required("ARTICLES_TABLE")?);
    let table = &OrderTable::new(&Client::new(&process::config::aws()?), orders, articles);
    let ids = &config::order_ids()?;
    let handler = |request| answer(table, ids, request);
    run(service::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}

async fn answer(table: &OrderTable, ids: &OrderIds, request: Request) -> Response<Body> {
    match write(table, ids, &request).await {
        Ok((id, outcome)) => {
            let body = json!({"id": id, "status": outcome.status()}).to_string();
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::CREATED;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Err(problem) => problem.into(),
    }
}

async fn write(
    table: &OrderTable,
    ids: &OrderIds,
    request: &Request,
) -> Result<(OrderId, Outcome), Problem> {
    let end = request
        .lambda_context_ref()
        .map_or(0, |context| context.deadline);
    let end = UNIX_EPOCH + Duration::from_millis(end);
    let left = end.duration_since(SystemTime::now()).unwrap_or_default();
    let deadline = Instant::now() + left.saturating_sub(MARGIN);

    let body = request::body(request).ok_or(Problem::NotBase64)?;
    let order = Order::parse(body).map_err(|error| match error {
        NotAnOrder::NotJson(why) => Problem::NotJson(why),
        NotAnOrder::Invalid(violations) => Problem::InvalidOrder(violations),
    })?;
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|_| Problem::NoOrderId)?;
    let client = request::client(request)?;
    let id = ids.fresh(&client, random);
    let placed = OrderPlaced::new(id, client, SystemTime::now().into(), order);
    let pending = Pending {
        record: Record(0),
        bytes: 0,
        receives: 1,
        placed,
    };
    let chains = vec![vec![vec![&pending]]];
    let committed = commit(table, chains, deadline, Effects::REAL).await;
    match committed.dispositions.first() {
        // A row from before is that of an order whose answer was lost.
        Some((_, Disposition::Stored(settled) | Disposition::StoredBefore(settled))) => {
            Ok((id, settled.outcome))
        }
        _ => Err(Problem::TableUnavailable),
    }
}
