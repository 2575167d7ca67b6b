//! Answers that aren't a success, as problems (RFC 9457).

use crate::response::Response;
use events::Violation;
use serde::Serialize;

/// What went wrong, for a client to act on.
#[derive(Debug)]
pub enum Problem {
    /// The body isn't JSON at all; why, and where.
    NotJson(String),
    /// JSON, but no order: everything that is wrong with it.
    InvalidOrder(Vec<Violation>),
    /// JSON, but no batch of orders: everything that is wrong with it besides its orders.
    InvalidBatch(Vec<Violation>),
    /// A batch of which no order can be taken; each says why.
    NoValidOrder,
    /// An `Idempotency-Key` that can't be used; why.
    InvalidIdempotencyKey(&'static str),
    /// No such order was ever issued to this client.
    UnknownOrder,
    /// Another method than this, or these, comma-separated.
    MethodNotAllowed(&'static str),
    /// What it names, `body` or `order`, has more than this many bytes.
    TooLarge(&'static str, usize),
    /// The content type isn't JSON.
    UnsupportedMediaType,
    /// The queue didn't confirm the order.
    QueueUnavailable,
    /// The table didn't answer.
    TableUnavailable,
}

/// A problem as it is sent.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    /// HTTP status.
    pub status: u16,
    detail: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    /// The problem as it is sent.
    pub fn body(&self) -> Body<'_> {
        use Problem::{
            InvalidBatch, InvalidIdempotencyKey, InvalidOrder, MethodNotAllowed, NoValidOrder,
            NotJson, QueueUnavailable, TableUnavailable, TooLarge, UnknownOrder,
            UnsupportedMediaType,
        };
        let (status, r#type, title) = match self {
            NotJson(_) => (400, "about:blank", "Bad Request"),
            UnknownOrder => (404, "about:blank", "Not Found"),
            MethodNotAllowed(_) => (405, "about:blank", "Method Not Allowed"),
            TooLarge(..) => (413, "about:blank", "Content Too Large"),
            UnsupportedMediaType => (415, "about:blank", "Unsupported Media Type"),
            InvalidOrder(_) => (422, "invalid-order", "The order is invalid"),
            InvalidBatch(_) | NoValidOrder => (422, "about:blank", "Unprocessable Content"),
            InvalidIdempotencyKey(_) => (
                422,
                "invalid-idempotency-key",
                "The idempotency key is invalid",
            ),
            QueueUnavailable => (503, "queue-unavailable", "The order could not be queued"),
            TableUnavailable => (503, "about:blank", "Service Unavailable"),
        };
        let count = |violations: &[Violation]| {
            format!("has violations ({} of them); see errors", violations.len())
        };
        let detail = match self {
            NotJson(why) => format!("The body is not JSON: {why}."),
            UnknownOrder => "There is no such order, or it is another client's.".to_owned(),
            MethodNotAllowed(allowed) => format!("Allowed here: {allowed}."),
            TooLarge(what, most) => format!("The {what} may have at most {most} bytes."),
            UnsupportedMediaType => "Send orders as application/json.".to_owned(),
            InvalidOrder(violations) => format!("The order has {}.", count(violations)),
            InvalidBatch(violations) => format!("The batch has {}.", count(violations)),
            NoValidOrder => "None of the orders can be taken; see results.".to_owned(),
            InvalidIdempotencyKey(why) => (*why).to_owned(),
            QueueUnavailable => "The order may not have been taken. Send it again; with the same \
                idempotency key it takes effect once."
                .to_owned(),
            TableUnavailable => "The order's status cannot be read now. Ask again.".to_owned(),
        };
        let errors = match self {
            InvalidOrder(violations) | InvalidBatch(violations) => violations.as_slice(),
            _ => &[],
        };
        Body {
            r#type,
            title,
            status,
            detail,
            errors,
        }
    }

    /// The response with this body, which has the problem's members and may have more.
    pub fn response(&self, body: &impl Serialize) -> Response {
        let response = Response::json(self.body().status, "application/problem+json", body);
        match self {
            Problem::MethodNotAllowed(allowed) => response.with("allow", *allowed),
            Problem::QueueUnavailable | Problem::TableUnavailable => {
                response.with("retry-after", "5")
            }
            _ => response,
        }
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        problem.response(&problem.body())
    }
}
