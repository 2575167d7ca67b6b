#![doc = include_str!("../README.md")]
//!
//! # Layout
//!
//! - `options`: the command line; `cloud`: everything, started and stopped
//! - `template`: reads template.yaml; `functions`: builds its binaries
//! - `gateway`: HTTP in, a function's answer out; `lambda`: runs the binaries
//! - `event_source`: from a queue to a function, as Lambda polls
//! - `services`: SQS (`sqs`), `DynamoDB` (`tables`), EventBridge (`event_bus`) and Lambda's Invoke, on one address;
//!   `aws_json`: their answers
//! - `callers`: refuses requests of web pages, on every port
//! - `chart`: draws charts, for `tests/load`, too
//! - `console`: the page that shows the running system
//! - `faults`: injects faults into the services, into deliveries from the queue, and into the functions' processes
//! - `secrets`: secrets that are generated once; `data`: files that only their owner may read; `listeners`: addresses;
//!   `terminal`: lines for a person

mod aws_json;
pub mod callers;
pub mod chart;
pub mod cloud;
pub mod console;
mod data;
pub mod event_bus;
pub mod event_source;
pub mod faults;
pub mod functions;
pub mod gateway;
pub mod lambda;
mod listeners;
pub mod options;
mod secrets;
pub mod services;
pub mod sqs;
pub mod tables;
pub mod template;
pub mod terminal;
pub mod welcome;
