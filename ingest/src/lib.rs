//! What a client can reach: the function `ingest` takes orders in, the function `status` tells what became of them.
//!
//! # Layout
//! - [`request`]: the gateway's event, read down to what these functions use; who the client is.
//! - [`place`]: `POST /orders`. The 202 is decided here. [`place_batch`]: `POST /orders/batch`, many of them.
//! - [`status`]: `GET /orders/{id}`.
//! - [`problem`]: every answer that isn't a success, as RFC 9457 has it. [`response`]: what the gateway is answered.
//! - [`queue`]: the queue, the only thing that `ingest` writes to.
//! - [`config`]: what the environment says.
//!
//! # Rules
//! - No 202 before SQS has said that the message is stored, and none but from [`place`] and [`place_batch`].
//! - Nothing here writes to a table, and `ingest` reads none: taking an order in is one durable write.
//! - No input gives a 5xx or a panic; 503 is the queue's or the table's fault, never the client's.
//!
//! `lambda_http` is not used: its conversion panics on bad base64 and on hosts and paths that are no URI, and it
//! parses a whole event of which these functions read a few fields.

#![warn(missing_docs)]

pub mod config;
pub mod place;
pub mod place_batch;
pub mod problem;
pub mod queue;
pub mod request;
pub mod response;
pub mod status;
