//! Errors of the SDK, as a log line has them.

use events::text::bounded;
use std::{error::Error, iter::successors};

/// Returns an error with its causes. Not its `Debug`, which has the whole answer in it.
pub fn text(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    bounded(&causes.join(": "))
}
