//! What is wrong with a dead letter. Pure.

use crate::{letter::Letter, table::Row};
use clap::ValueEnum;
use events::placed::NotAnOrderPlaced;
use std::fmt::{self, Display, Formatter};

/// The reason why a message is still on the dead-letter queue, as far as the message and the order's row show.
// Clap prints these comments unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Reason {
    /// The row says `failed`: processing gave up
    Failed,
    /// There is no row, so its client reads `queued`: the table refused, or no worker ran
    Queued,
    /// The row has the outcome: the event bus had not taken it, or this is a copy
    Settled,
    /// The row belongs to another order, under the same idempotency key
    KeyMismatch,
    /// The message has a version that its reader didn't know
    UnknownVersion,
    /// The message is not an order
    Unreadable,
    /// The row can't be read
    UnreadableRow,
}

impl Reason {
    /// Determines the reason from the message and its order's row.
    pub fn of(letter: &Letter, row: &Row) -> Self {
        let placed = match letter.order() {
            Ok(placed) => placed,
            Err(NotAnOrderPlaced::Version(_)) => return Self::UnknownVersion,
            Err(NotAnOrderPlaced::Malformed(_) | NotAnOrderPlaced::Type) => {
                return Self::Unreadable;
            }
        };
        match row {
            Row::Missing => Self::Queued,
            Row::Unreadable => Self::UnreadableRow,
            Row::Record(record) if record.fingerprint != *placed.fingerprint() => Self::KeyMismatch,
            Row::Record(record) if record.outcome.is_final() => Self::Settled,
            Row::Record(_) => Self::Failed,
        }
    }

    /// Returns an explanation, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Failed => {
                "processing gave up, and clients read `failed`. Find the cause in the log of ProcessFunction, fix it, redrive"
            }
            Self::Queued => {
                "they have no row, and clients read `queued`: the table refused, or no worker ran. Fix the cause, redrive"
            }
            Self::Settled => {
                "their rows have the outcome: the event bus had not taken it, or they are copies. A redrive publishes it again"
            }
            Self::KeyMismatch => {
                "another order has the row, under the same idempotency key: the first counts. Inform the client, drop"
            }
            Self::UnknownVersion => {
                "a worker of another version wrote no row. Deploy a `process` that reads it, redrive"
            }
            Self::Unreadable => {
                "they are not orders, and a redrive only brings them back. Find who sent them, drop"
            }
            Self::UnreadableRow => {
                "their rows can't be read: look at them with `aws dynamodb get-item` before anything else"
            }
        }
    }

    /// Returns what is lost with the message.
    pub fn loss(self) -> &'static str {
        match self {
            Self::Failed => "the order reads `failed` for good; its row keeps what was ordered",
            Self::Queued => "the order is lost, and reads `queued` for good",
            Self::Settled => "the order's outcome stands, but may never be published",
            Self::KeyMismatch => "this order never counted; the one in the row does",
            Self::UnknownVersion => "this may be the only copy of an order",
            Self::Unreadable => "this is not an order",
            Self::UnreadableRow => "this may be the only copy of the order that can be read",
        }
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{message, order, record};
    use anyhow::Result;
    use events::Outcome;
    use proptest::prelude::*;

    #[test]
    fn a_letter_is_judged_by_its_message_and_its_row() -> Result<()> {
        let (mine, other) = (order(1, 1)?, order(1, 2)?);
        let body = mine.to_json();
        let check = |body: &str, row: Row, expected: &str| {
            let letter = Letter::read(message("m", body)).expect("it has an id and a handle");
            assert_eq!(Reason::of(&letter, &row).to_string(), expected, "{body}");
        };
        check(&body, Row::Missing, "queued");
        check(&body, record(&mine, Outcome::Failed), "failed");
        check(&body, record(&mine, Outcome::Confirmed), "settled");
        check(&body, record(&mine, Outcome::TOO_LITTLE), "settled");
        check(&body, record(&other, Outcome::Confirmed), "key-mismatch");
        check(&body, record(&other, Outcome::Failed), "key-mismatch");
        check(&body, Row::Unreadable, "unreadable-row");
        let later = body.replacen("\"version\":1", "\"version\":2", 1);
        check(&later, Row::Missing, "unknown-version");
        let odd = body.replacen("order.placed", "order.moved", 1);
        for body in [&*odd, "poison", "", "{}", r#"{"type":"order.placed"}"#] {
            check(body, Row::Missing, "unreadable");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_message_has_a_reason_and_no_row_is_asked_for_what_is_no_order(body in ".{0,200}") {
            let letter = Letter::read(message("m", &body)).expect("it has an id and a handle");
            prop_assert_eq!(Reason::of(&letter, &Row::Missing), Reason::Unreadable);
            prop_assert_eq!(Reason::of(&letter, &Row::Unreadable), Reason::Unreadable);
        }
    }
}
