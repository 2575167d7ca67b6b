#![doc = include_str!("../README.md")]
//!
//! # Layout
//!
//! - `options`: the command line; `cloud`: everything, started and stopped
//! - `template`: reads template.yaml; `functions`: builds its binaries
//! - `gateway`: HTTP in, a function's answer out; `lambda`: runs the binaries
//! - `event_source`: from a queue to a function, as Lambda polls
//! - `services`: SQS (`sqs`), `DynamoDB` (`tables`) and Lambda's Invoke, on one address
//! - `faults`: injects faults there, on the way from the queue, and into the functions' processes
//! - `secrets`: secrets that are generated once

pub mod cloud;
pub mod event_source;
pub mod faults;
pub mod functions;
pub mod gateway;
pub mod lambda;
pub mod options;
mod secrets;
pub mod services;
pub mod sqs;
mod tables;
pub mod template;
pub mod welcome;
