#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod accept;
pub mod accept_batch;
pub mod acceptor;
pub mod config;
mod description;
pub mod dispatch;
pub mod gateway;
pub mod metrics;
pub mod polling;
pub mod problem;
pub mod provisional;
pub mod queue;
pub mod request;
mod response;
mod retries;
pub mod route;
pub mod service;
pub mod status;
mod status_batch;
pub mod statuses;
pub mod table;
pub mod wait;
