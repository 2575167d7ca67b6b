//! `GET /orders/{id}`: returns an order's outcome. The function's other calls are in `status_batch` and `description`.

use crate::{
    description::describe,
    problem::Problem,
    request, response,
    route::{Route, order_id},
    status_batch::find_all,
    statuses::Statuses,
};
use events::{Order, OrderId, OrderRecord, Outcome, Timestamp, order::Summary};
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use serde::Serialize;
use std::time::{Duration, Instant, SystemTime};

/// Answers a request for an order, for many, or for the API's description.
pub async fn status(statuses: &Statuses, request: Request) -> Response<Body> {
    let route = Route::of_status(&request);
    let answer = match route.check(request.method()) {
        Err(problem) => Err(problem),
        Ok(()) => match route {
            Route::Statuses => find_all(statuses, &request).await,
            Route::Description => Ok(describe()),
            _ => find(statuses, &request).await,
        },
    };
    let metrics = &statuses.metrics;
    let mut response = answer.unwrap_or_else(|problem| problem.refuse(metrics));
    metrics.write_if_due();
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    response
}

async fn find(statuses: &Statuses, request: &Request) -> Result<Response<Body>, Problem> {
    let client = request::client(request)?;
    let fingerprint = request::fingerprint(request)?;
    let id = OrderId::parse(&order_id(request)).ok_or(Problem::UnknownOrder)?;
    let start = Instant::now();
    let row = statuses.table.read(id).await;
    statuses.metrics.took("TableMilliseconds", start.elapsed());
    let row = match row {
        Ok(row) => row,
        Err(error) => {
            tracing::error!(order_id = %id, %error, "could not reach the table of orders");
            return Ok(statuses.unavailable(&client, request));
        }
    };
    match statuses.content(&client, id, fingerprint, row.as_ref())? {
        Some(record)
            if statuses.is_provisional(
                request,
                record.outcome,
                (record.placed_at, record.processed_at),
            ) =>
        {
            Ok(statuses.queued(&client, id, Some(record.placed_at)))
        }
        Some(record) => {
            statuses.metrics.count("Settled", 1);
            let times = (record.placed_at, record.processed_at);
            statuses
                .polling
                .settled(&client, record.outcome, times.0, times.1);
            tracing::info!(order_id = %id, "returned the order's outcome");
            let shown = Shown::from(record);
            Ok(response::json(StatusCode::OK, "application/json", &shown))
        }
        // The client would otherwise read `queued` and poll for ever.
        None if is_over(request, statuses.keep) => Err(Problem::NotKept),
        // The id was issued, so the order was accepted, but it is not processed yet.
        None => Ok(statuses.queued(&client, id, request::placed_at(request))),
    }
}

/// Returns whether the order was placed too long ago to still have a row. Only the client's own hint says when it was placed.
fn is_over(request: &Request, keep: Option<Duration>) -> bool {
    let now = Timestamp::from(SystemTime::now());
    let placed_at = request::placed_at(request);
    keep.zip(placed_at)
        .is_some_and(|(keep, then)| then.until(now) >= keep)
}

/// The part of a row that is shown to its client.
#[derive(Serialize)]
struct Shown<'a> {
    id: OrderId,
    #[serde(flatten)]
    outcome: Outcome,
    placed_at: Timestamp,
    processed_at: Timestamp,
    order: &'a Order,
    #[serde(flatten)]
    summary: &'a Summary,
}

impl<'a> From<&'a OrderRecord> for Shown<'a> {
    fn from(record: &'a OrderRecord) -> Self {
        Self {
            id: record.id,
            outcome: record.outcome,
            placed_at: record.placed_at,
            processed_at: record.processed_at,
            order: &record.order,
            summary: &record.summary,
        }
    }
}
