//! The API, from a gateway's event to the answer: the functions, above a real SDK client whose HTTP is faked.

mod any_json;
mod any_text;
mod batch;
mod clients;
mod connection;
mod description;
mod faked;
mod headers;
mod logged;
mod odd_events;
mod paths;
mod requests;
mod retries;
mod samples;
mod status;
mod statuses;
mod waits;
