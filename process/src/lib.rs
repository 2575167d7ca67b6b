#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod backoff;
pub mod bus;
pub mod commit;
pub mod config;
pub mod disposition;
pub mod effects;
pub mod event;
#[cfg(test)]
mod faked;
pub mod group;
pub mod processor;
pub mod records;
mod retries;
pub mod stock;
pub mod table;
pub mod tally;
pub mod transaction;
pub mod visibility;
