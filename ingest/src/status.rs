//! `GET /orders/{id}`: tells what became of an order. The function's other calls are in `statuses` and `description`.

use crate::{
    description::describe,
    metrics::Metrics,
    polling::Polling,
    problem::Problem,
    provisional::{is_placed_again, is_provisional},
    request, response,
    route::{Route, order_id},
    statuses::find_all,
    table::{OrderTable, Row},
};
use events::{Client, Order, OrderId, OrderIds, OrderRecord, Outcome, Timestamp};
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use serde::Serialize;
use std::time::{Duration, Instant, SystemTime};

/// Holds what statuses are read from: a processed order has a row of `table`, which names its client; until then its id is
/// one of `ids`.
#[derive(Debug)]
pub struct Statuses {
    /// The ids that were issued.
    pub ids: OrderIds,
    /// The orders that were processed.
    pub table: OrderTable,
    /// When clients whose orders wait ask again.
    pub polling: Polling,
    /// A row is kept for at least so long after its order was placed, or for ever. `process` stores no order that is older.
    pub keep: Option<Duration>,
    /// The longest that a worker takes for a batch. It may settle an order for this long after it wrote a `failed` row.
    pub worker_timeout: Duration,
    /// The metrics of this environment.
    pub metrics: Metrics,
}

impl Statuses {
    /// True if a row that reads `failed` may still change without a redrive.
    pub(crate) fn is_provisional(
        &self,
        request: &Request,
        outcome: Outcome,
        (placed_at, processed_at): (Timestamp, Timestamp),
    ) -> bool {
        let now = SystemTime::now().into();
        let asked = request::placed_at(request);
        is_provisional(outcome, processed_at, now, self.worker_timeout)
            || asked.is_some_and(|asked| is_placed_again(outcome, placed_at, processed_at, asked))
    }

    /// Gives the content of an order's row to the order's client, or None while there is no row. A row says whose order it
    /// is, whatever secret its id was made with; where it doesn't, the id has to. The row is of another order with the same
    /// idempotency key if its fingerprint doesn't start with these digits.
    pub(crate) fn content<'a, T>(
        &self,
        client: &Client,
        id: OrderId,
        fingerprint: Option<&str>,
        row: Option<&'a Row<T>>,
    ) -> Result<Option<&'a T>, Problem> {
        let owner = row.and_then(|row| row.client.as_ref());
        if !owner.map_or_else(|| self.ids.recognise(client, id), |owner| owner == client) {
            return Err(Problem::UnknownOrder);
        }
        let stored = row.and_then(|row| row.fingerprint.as_ref());
        if stored
            .zip(fingerprint)
            .is_some_and(|(stored, asked)| !stored.starts_with(asked))
        {
            tracing::info!(order_id = %id, "the row is of another order with the same idempotency key");
            return Err(Problem::KeyReused);
        }
        let content = row.map(|row| row.content.as_ref()).transpose();
        content.map_err(|error| {
            tracing::error!(order_id = %id, error, "could not read the order's row");
            Problem::UnreadableRow
        })
    }

    fn queued(&self, client: &Client, id: OrderId, placed_at: Option<Timestamp>) -> Response<Body> {
        self.metrics.count("Queued", 1);
        tracing::info!(order_id = %id, "the order is queued");
        response::queued(StatusCode::OK, id, self.polling.wait(client, placed_at))
    }

    /// The answer while the table is down. Then all clients wait, and poll as those whose orders are queued.
    pub(crate) fn unavailable(&self, client: &Client, request: &Request) -> Response<Body> {
        let wait = self.polling.wait(client, request::placed_at(request));
        response::ask_later(Problem::TableUnavailable.refuse(&self.metrics), wait)
    }
}

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
            tracing::info!(order_id = %id, "told the order's outcome");
            let shown = Shown::from(record);
            Ok(response::json(StatusCode::OK, "application/json", &shown))
        }
        // A client that reads `queued` would ask for ever.
        None if is_over(request, statuses.keep) => Err(Problem::NotKept),
        // It was accepted, because its id was issued, and is not processed yet.
        None => Ok(statuses.queued(&client, id, request::placed_at(request))),
    }
}

/// Tells if the order was placed too long ago to get a row still. Only the client's own hint says when that was.
fn is_over(request: &Request, keep: Option<Duration>) -> bool {
    let now = Timestamp::from(SystemTime::now());
    let placed_at = request::placed_at(request);
    keep.zip(placed_at)
        .is_some_and(|(keep, then)| then.until(now) >= keep)
}

/// The part of a row that its client is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: OrderId,
    #[serde(flatten)]
    outcome: Outcome,
    placed_at: Timestamp,
    processed_at: Timestamp,
    order: &'a Order,
    total: u64,
}

impl<'a> From<&'a OrderRecord> for Shown<'a> {
    fn from(record: &'a OrderRecord) -> Self {
        Self {
            id: record.id,
            outcome: record.outcome,
            placed_at: record.placed_at,
            processed_at: record.processed_at,
            order: &record.order,
            total: record.total,
        }
    }
}
