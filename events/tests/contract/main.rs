//! The contract: orders, messages, rows, events and their description. One binary, because each links everything again.

mod openapi;
mod order;
mod outcome_event;
mod placed;
mod samples;
mod versions;
