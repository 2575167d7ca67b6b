//! The body of `POST /orders`.

use crate::{answers, functions, json, program::Program, samples, tally::Tally};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::string::FromUtf8Error;

/// The results that a few hundred programs reach: an order, and every refusal of a body.
pub const REACHES: [&str; 20] = [
    "202",
    "400 about:blank",
    "413 about:blank",
    "422 invalid-order",
    "is missing",
    "is given twice",
    "is not a field that is known here",
    "has a name that is not Unicode",
    "must be Unicode",
    "must not have U+FFFD",
    "must be an object",
    "must be an array",
    "must be a string",
    "must be an integer",
    "must be from # to #######",
    "must have # to ## elements",
    "must be # to ## of A-Z a-z #-# . _ -",
    "must be the ISO #### code",
    "must have at most ## characters",
    "must have no control characters",
];

/// Sends the body that this program makes.
pub fn run(program: &[u8], tally: &mut Tally) {
    let mut program = Program::new(program);
    let coded = program.once_in(4);
    let replaced = program.once_in(2);
    let body = json::document(&samples::ORDERS, &mut program);
    let mut event = samples::PLACE[0].clone();
    // Depending on its kind and settings, a gateway replaces what isn't UTF-8, or encodes it, or every body, in base64.
    event["body"] = match String::from_utf8(body) {
        Ok(text) if !coded => text.into(),
        Err(error) if replaced => String::from_utf8_lossy(error.as_bytes()).into(),
        body => {
            event["isBase64Encoded"] = true.into();
            let bytes = body.map_or_else(FromUtf8Error::into_bytes, String::into_bytes);
            STANDARD.encode(bytes).into()
        }
    };
    functions::with(|functions| answers::accept(functions, functions::read(&event), tally));
}
