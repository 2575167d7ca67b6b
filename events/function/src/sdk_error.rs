//! Formats the SDK's errors for log lines.

use events::text::bounded;
use std::{error::Error, iter::successors};

/// Returns an error with its causes. Its `Debug` would include the whole answer.
pub fn text(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    bounded(&causes.join(": "))
}
