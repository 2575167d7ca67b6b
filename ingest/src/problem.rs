//! Answers that aren't a success, as problem details (RFC 9457).

use crate::{metrics::Metrics, response};
use events::{Violation, json::NotJson};
use lambda_http::{
    Body, Response,
    http::{
        StatusCode,
        header::{ACCEPT_ENCODING, ALLOW, RETRY_AFTER},
    },
};
use serde::Serialize;

/// A problem that a client can act on. The crate's documentation says what the client should do about each.
#[derive(Debug)]
pub enum Problem {
    /// The body is marked as base64 but isn't.
    NotBase64,
    /// The body isn't JSON.
    NotJson(NotJson),
    /// The body is JSON, but not an order. Lists everything that is wrong with it.
    InvalidOrder(Vec<Violation>),
    /// The body is JSON, but not a batch of orders. Lists everything that is wrong with it, apart from its orders.
    InvalidBatch(Vec<Violation>),
    /// No order of a batch request is valid. Each entry says why.
    NoValidOrder,
    /// The idempotency key can't be used, for this reason.
    InvalidIdempotencyKey(&'static str),
    /// An authorizer let the caller in but named no client.
    UnnamedClient,
    /// No such order was issued to this client.
    UnknownOrder,
    /// The row belongs to another order, which was sent with the same idempotency key and counts.
    KeyReused,
    /// The fingerprint in the address is malformed.
    InvalidFingerprint,
    /// The order's row was deleted, since it had been kept for the configured time.
    NotKept,
    /// A request for statuses names no order, or more than a hundred.
    TooManyOrNone,
    /// The path allows only other methods: these, comma-separated.
    MethodNotAllowed(&'static str),
    /// The `body` or the `order`, as named here, has more than this many bytes.
    TooLarge(&'static str, usize),
    /// The content type isn't JSON.
    UnsupportedMediaType,
    /// The body has a content encoding, such as gzip.
    EncodedBody,
    /// The random generator failed, so the order has no id.
    NoOrderId,
    /// SQS didn't confirm the order.
    QueueUnavailable,
    /// DynamoDB didn't answer.
    TableUnavailable,
    /// The order has a row that can't be read.
    UnreadableRow,
}

/// A problem as it is sent.
#[derive(Debug, Serialize)]
pub struct Details<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    /// Describes the problem to a client.
    pub fn details(&self) -> Details<'_> {
        let (status, r#type, title) = self.kind();
        Details {
            r#type,
            title,
            status: status.as_u16(),
            detail: self.detail(),
            errors: self.violations(),
        }
    }

    /// Returns the status, the type and the title: the status's name if the type is `about:blank`.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        let (status, title) = match self {
            Self::NotBase64 | Self::NotJson(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::UnnamedClient => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::UnknownOrder | Self::NotKept => (StatusCode::NOT_FOUND, "Not Found"),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
            Self::TooLarge(..) => (StatusCode::PAYLOAD_TOO_LARGE, "Content Too Large"),
            Self::UnsupportedMediaType | Self::EncodedBody => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            }
            Self::InvalidBatch(_)
            | Self::NoValidOrder
            | Self::TooManyOrNone
            | Self::InvalidFingerprint => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Content")
            }
            Self::NoOrderId | Self::UnreadableRow => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::TableUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Self::InvalidOrder(_) => {
                let title = "The order is invalid";
                return (StatusCode::UNPROCESSABLE_ENTITY, "invalid-order", title);
            }
            Self::InvalidIdempotencyKey(_) => {
                let (r#type, title) = ("invalid-idempotency-key", "The idempotency key is invalid");
                return (StatusCode::UNPROCESSABLE_ENTITY, r#type, title);
            }
            Self::KeyReused => {
                let title = "The idempotency key was used for another order";
                return (StatusCode::CONFLICT, "idempotency-key-reused", title);
            }
            Self::QueueUnavailable => {
                let title = "The order could not be queued";
                return (StatusCode::SERVICE_UNAVAILABLE, "queue-unavailable", title);
            }
        };
        (status, "about:blank", title)
    }

    fn detail(&self) -> String {
        let errors = |violations: &[Violation]| match violations.len() {
            1 => "1 error".to_owned(),
            count => format!("{count} errors"),
        };
        match self {
            Self::NotBase64 => "The body is marked as base64 but can't be decoded.".to_owned(),
            Self::NotJson(why) => format!("The body is not JSON: {why}."),
            Self::UnnamedClient => {
                "The API's authorizer doesn't say which client this is.".to_owned()
            }
            Self::UnknownOrder => "There is no such order, or it is another client's.".to_owned(),
            Self::KeyReused => "Another order with the same idempotency key was stored first and \
                counts; this one takes no effect. Send it with a key of its own."
                .to_owned(),
            Self::InvalidFingerprint => "The fingerprint must be 8 to 64 hexadecimal digits. Ask \
                for the Location as it is, or without a fingerprint."
                .to_owned(),
            Self::NotKept => "The order's outcome is no longer kept.".to_owned(),
            Self::TooManyOrNone => "Name 1 to 100 orders, as ?ids=ID,ID.".to_owned(),
            Self::MethodNotAllowed(allowed) => format!("This path allows {allowed} only."),
            Self::TooLarge(what, most) => format!("The {what} may have at most {most} bytes."),
            Self::UnsupportedMediaType => "Send orders as application/json.".to_owned(),
            Self::EncodedBody => "Send the body as it is, without a content coding.".to_owned(),
            Self::InvalidOrder(violations) => {
                format!("The order has {}; see `errors`.", errors(violations))
            }
            Self::InvalidBatch(violations) => {
                format!("The batch has {}; see `errors`.", errors(violations))
            }
            Self::NoValidOrder => "None of the orders can be accepted; see `results`.".to_owned(),
            Self::InvalidIdempotencyKey(why) => (*why).to_owned(),
            Self::NoOrderId => "The order was not accepted. Send it again.".to_owned(),
            Self::QueueUnavailable => "The order may not have been accepted. Send it again; with \
                the same idempotency key it takes effect once."
                .to_owned(),
            Self::TableUnavailable => {
                "The order's status cannot be read now. Ask again.".to_owned()
            }
            Self::UnreadableRow => "The order's status can't be read until it is repaired. Asking \
                again does not help."
                .to_owned(),
        }
    }

    /// Returns the kind of problem, as logs and metrics name it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotBase64 => "not-base64",
            Self::NotJson(_) => "not-json",
            Self::InvalidOrder(_) => "invalid-order",
            Self::InvalidBatch(_) => "invalid-batch",
            Self::NoValidOrder => "no-valid-order",
            Self::InvalidIdempotencyKey(_) => "invalid-idempotency-key",
            Self::UnnamedClient => "unnamed-client",
            Self::UnknownOrder => "unknown-order",
            Self::KeyReused => "idempotency-key-reused",
            Self::InvalidFingerprint => "invalid-fingerprint",
            Self::NotKept => "not-kept",
            Self::TooManyOrNone => "too-many-or-none",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::TooLarge(..) => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::EncodedBody => "encoded-body",
            Self::NoOrderId => "no-order-id",
            Self::QueueUnavailable => "queue-unavailable",
            Self::TableUnavailable => "table-unavailable",
            Self::UnreadableRow => "unreadable-row",
        }
    }

    /// Answers a request with the problem, counts it, and logs one line that contains nothing of what the client sent.
    pub(crate) fn refuse(self, metrics: &Metrics) -> Response<Body> {
        metrics.refused(self.name());
        self.log(self.violations().len());
        self.into()
    }

    /// Logs that a request was refused for this problem.
    pub(crate) fn log(&self, violations: usize) {
        let (status, ..) = self.kind();
        let (kind, code) = (self.name(), status.as_u16());
        if status.is_server_error() {
            tracing::warn!(kind, status = code, violations, "refused the request");
        } else {
            tracing::info!(kind, status = code, violations, "refused the request");
        }
    }

    /// Returns the violations of an invalid order or batch request; none for other problems.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::InvalidOrder(violations) | Self::InvalidBatch(violations) => violations,
            _ => &[],
        }
    }

    /// Builds the response with this body, which contains the problem's members and possibly more.
    pub(crate) fn response(&self, body: &impl Serialize) -> Response<Body> {
        let (status, ..) = self.kind();
        let response = response::json(status, "application/problem+json", body);
        match self {
            Self::MethodNotAllowed(allowed) => response::with(response, ALLOW, allowed),
            Self::EncodedBody => response::with(response, ACCEPT_ENCODING, "identity"),
            Self::QueueUnavailable => response::with(response, RETRY_AFTER, "5"),
            _ => response,
        }
    }
}

impl From<Problem> for Response<Body> {
    fn from(problem: Problem) -> Self {
        problem.response(&problem.details())
    }
}
