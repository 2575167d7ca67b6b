#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod client;
pub mod exact;
pub mod json;
pub mod lenient;
pub mod openapi;
pub mod order;
pub mod order_id;
pub mod outcome_event;
pub mod placed;
pub mod record;
pub mod text;
pub mod timestamp;
pub mod violation;

pub use client::{Client, IdempotencyKey};
pub use order::{Order, Outcome, Reason};
pub use order_id::{OrderId, OrderIds, Secret};
pub use outcome_event::OutcomeEvent;
pub use placed::{Fingerprint, OrderPlaced};
pub use record::OrderRecord;
pub use timestamp::Timestamp;
pub use violation::Violation;
