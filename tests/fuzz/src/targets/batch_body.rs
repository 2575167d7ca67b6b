//! The body of `POST /orders/batch`.

use crate::{answers, functions, json, program::Program, samples, tally::Tally};

/// The results that a thousand programs reach: orders, and every refusal of a batch request and of one of its orders.
pub const REACHES: [&str; 9] = [
    "202",
    "400 about:blank",
    "422 about:blank",
    "must have # to ### elements",
    "one is 202",
    "one is 413 about:blank",
    "one is 422 invalid-order",
    "one is 422 invalid-idempotency-key",
    "one key twice",
];

/// Sends the body that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let body = json::document(&samples::BATCHES, &mut Program::new(program));
    let mut event = samples::PLACE_BATCH.clone();
    event["body"] = String::from_utf8_lossy(&body).into();
    functions::with(|functions| answers::accept_batch(functions, functions::read(&event), tally));
}
