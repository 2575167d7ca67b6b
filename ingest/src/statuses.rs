//! What `status` reads orders' outcomes from, and the answers that one order and many have in common.

use crate::{
    metrics::Metrics,
    polling::Polling,
    problem::Problem,
    provisional::{is_placed_again, is_provisional},
    request, response,
    table::{OrderTable, Row},
};
use events::{Client, OrderId, OrderIds, Outcome, Timestamp};
use lambda_http::{Body, Request, Response, http::StatusCode};
use std::time::{Duration, SystemTime};

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

    /// The answer while the order has no outcome.
    pub(crate) fn queued(
        &self,
        client: &Client,
        id: OrderId,
        placed_at: Option<Timestamp>,
    ) -> Response<Body> {
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
