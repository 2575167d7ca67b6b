//! What the queue drives: the function `process` turns accepted orders into rows, each exactly once in effect.
//!
//! # Layout, the way of a batch
//! - [`batch`]: an SQS batch comes in, its failures go out. [`records`]: each record is read on its own.
//! - [`group`]: pure: orders into as few transactions as the limits allow.
//! - [`commit`]: the groups are written, one transaction at a time, and what DynamoDB refuses is worked through. A
//!   redelivery is recognised here.
//! - [`allocate`]: pure: who gets the stock.
//! - [`table`]: the tables; DynamoDB's answers translated into findings.
//! - [`backoff`]: pure: how long to wait. [`visibility`]: when a failed record comes back.
//! - [`tally`]: what a batch came to, as metrics. [`config`]: what the environment says.
//!
//! # Rules
//! - A row is only ever put under the condition that there is none, or that it is this order's `failed` one. That
//!   condition, and no token or cache, is what makes a retry and a redelivery safe.
//! - An order's row and the stock that it takes are written in one transaction.
//! - A message is only reported as done when its order's row is known to be in the table.
//! - Nothing here reads before it writes; stock is learnt from refusals.

pub mod allocate;
pub mod backoff;
pub mod batch;
pub mod commit;
pub mod config;
#[cfg(test)]
mod faked;
pub mod group;
pub mod records;
pub mod table;
pub mod tally;
pub mod visibility;
