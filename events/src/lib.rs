//! The contract of the order intake: what two of its parts must agree on.
//!
//! # Layout
//! - [`order`]: what a client may send. An invalid [`Order`] cannot be built; [`fault`] says what was wrong with it,
//!   and [`json`] reads JSON so that every fault is found.
//! - [`order_id`]: ids that the API recognises as its own without looking anything up.
//! - [`placed`]: the message on the queue, written by `ingest` and read by `process`.
//! - [`record`]: the row of the table, written by `process` and read by `status`.
//! - [`client`], [`timestamp`]: what these are made of.
//! - [`text`]: what a log line may show of text that comes from elsewhere.
//!
//! # Rules
//! - No AWS, no HTTP, no clock, no environment, no randomness: ids and times are passed in.
//! - What a client sends is read strictly, once. What the system wrote itself (a message, a row) is read leniently:
//!   unknown fields are ignored and no limit is checked again, because tightening a rule must not poison orders that
//!   were accepted under the old one.
//! - A change of meaning raises [`placed::VERSION`]; readers that know it are deployed before writers.

pub mod client;
pub mod fault;
pub mod json;
pub mod order;
pub mod order_id;
pub mod placed;
pub mod record;
pub mod text;
pub mod timestamp;

pub use client::{Client, IdempotencyKey};
pub use fault::Fault;
pub use order::{Line, Order};
pub use order_id::{OrderId, OrderIds, Secret};
pub use placed::{Fingerprint, OrderPlaced};
pub use record::{OrderRecord, Reason, Status};
pub use timestamp::Timestamp;
