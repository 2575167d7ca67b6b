//! Answers that aren't a success, as problems (RFC 9457).

use crate::response::Response;
use events::Fault;
use serde::Serialize;

/// What went wrong, for a client to act on.
#[derive(Debug)]
pub enum Problem {
    /// The body isn't JSON at all; why, and where.
    NotJson(String),
    /// JSON, but no order: everything that is wrong with it.
    InvalidOrder(Vec<Fault>),
    /// An `Idempotency-Key` that can't be used; why.
    InvalidIdempotencyKey(&'static str),
    /// No such order was ever issued to this client.
    UnknownOrder,
    /// Another method than this, or these, comma-separated.
    MethodNotAllowed(&'static str),
    /// The body has more than this many bytes.
    TooLarge(usize),
    /// The content type isn't JSON.
    UnsupportedMediaType,
    /// The queue didn't confirm the order.
    QueueUnavailable,
    /// The table didn't answer.
    TableUnavailable,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        use Problem::{
            InvalidIdempotencyKey, InvalidOrder, MethodNotAllowed, NotJson, QueueUnavailable,
            TableUnavailable, TooLarge, UnknownOrder, UnsupportedMediaType,
        };
        let (status, r#type, title) = match problem {
            NotJson(_) => (400, "about:blank", "Bad Request"),
            UnknownOrder => (404, "about:blank", "Not Found"),
            MethodNotAllowed(_) => (405, "about:blank", "Method Not Allowed"),
            TooLarge(_) => (413, "about:blank", "Content Too Large"),
            UnsupportedMediaType => (415, "about:blank", "Unsupported Media Type"),
            InvalidOrder(_) => (422, "invalid-order", "The order is invalid"),
            InvalidIdempotencyKey(_) => (
                422,
                "invalid-idempotency-key",
                "The idempotency key is invalid",
            ),
            QueueUnavailable => (503, "queue-unavailable", "The order could not be queued"),
            TableUnavailable => (503, "about:blank", "Service Unavailable"),
        };
        let detail = match &problem {
            NotJson(why) => format!("The body is not JSON: {why}."),
            UnknownOrder => "There is no such order, or it is another client's.".to_owned(),
            MethodNotAllowed(allowed) => format!("Allowed here: {allowed}."),
            TooLarge(most) => format!("The body may have at most {most} bytes."),
            UnsupportedMediaType => "Send the order as application/json.".to_owned(),
            InvalidOrder(faults) => {
                format!(
                    "The order has faults ({} of them); see errors.",
                    faults.len()
                )
            }
            InvalidIdempotencyKey(why) => (*why).to_owned(),
            QueueUnavailable => "The order may not have been taken. Send it again; with the same \
                Idempotency-Key it takes effect once."
                .to_owned(),
            TableUnavailable => "The order's status cannot be read now. Ask again.".to_owned(),
        };
        let errors = if let InvalidOrder(faults) = &problem {
            faults.as_slice()
        } else {
            &[]
        };
        let body = Body {
            r#type,
            title,
            status,
            detail,
            errors,
        };
        let response = Response::json(status, "application/problem+json", &body);
        match problem {
            MethodNotAllowed(allowed) => response.with("allow", allowed),
            QueueUnavailable | TableUnavailable => response.with("retry-after", "5"),
            _ => response,
        }
    }
}
