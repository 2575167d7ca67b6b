//! Where `status` finds orders' outcomes, and the answers that one order and many have in common.

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

/// What is needed to answer with statuses. A processed order has a row in `table`, which names its client; until then its id
/// is one of `ids`.
#[derive(Debug)]
pub struct Statuses {
    /// Recognises ids that were issued.
    pub ids: OrderIds,
    /// Rows of processed orders.
    pub table: OrderTable,
    /// Determines when clients of waiting orders poll again.
    pub polling: Polling,
    /// A row is kept for at least this long after its order was placed; None: for ever. `process` stores no order that is
    /// older.
    pub keep: Option<Duration>,
    /// Longest time that a worker takes for a batch. It may settle an order for this long after it wrote a `failed` row.
    pub worker_timeout: Duration,
    /// The metrics of this environment.
    pub metrics: Metrics,
}

impl Statuses {
    /// Returns whether a row that reads `failed` may still change without a redrive.
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

    /// Returns the content of an order's row to the order's client; None while there is no row. The row says whose order it
    /// is, whatever secret signed the id; if it doesn't, the id must. If the row's fingerprint doesn't start with these
    /// digits, the row belongs to another order with the same idempotency key.
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
            tracing::info!(order_id = %id, "the row belongs to another order with the same idempotency key");
            return Err(Problem::KeyReused);
        }
        let content = row.map(|row| row.content.as_ref()).transpose();
        content.map_err(|error| {
            tracing::error!(order_id = %id, error, "could not read the order's row");
            Problem::UnreadableRow
        })
    }

    /// Answers while the order has no outcome.
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

    /// Answers while the table is unavailable: all clients then poll like those whose orders are queued.
    pub(crate) fn unavailable(&self, client: &Client, request: &Request) -> Response<Body> {
        let wait = self.polling.wait(client, request::placed_at(request));
        response::ask_later(Problem::TableUnavailable.refuse(&self.metrics), wait)
    }
}
