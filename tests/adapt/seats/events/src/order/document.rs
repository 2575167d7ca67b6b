//! The document that a client sends, and the API's rules for it.

use crate::{
    json::{self, optional, required},
    violation::{Pointer, Violations},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

/// Most kinds of seats in one order.
pub const MAX_SEATS: usize = 50;
/// Most characters of a name.
pub const MAX_NAME: usize = 64;
/// Most seats of one kind.
pub const MAX_COUNT: u64 = 1_000_000;

/// A valid order: [`Order::parse`] applies every rule of the API, and reading a stored order (`Deserialize`) makes sure that
/// its sums cannot overflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Order {
    seats: Vec<Seats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    booking: Option<String>,
    /// Fields of a later version, kept on the way from the message to the row.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// Seats of one class in one show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredSeats")]
pub struct Seats {
    show: String,
    /// None where any seat may be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    count: u64,
    /// The key of the row that has what is left: `show/class`.
    #[serde(skip)]
    key: String,
    /// Fields of a later version.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Order {
    /// Returns the seats, in the client's sequence.
    pub fn seats(&self) -> &[Seats] {
        &self.seats
    }

    /// Returns the client's own name for the order.
    pub fn booking(&self) -> Option<&str> {
        self.booking.as_deref()
    }

    /// Returns the number of seats.
    pub fn count(&self) -> u64 {
        self.seats.iter().map(|seats| seats.count).sum()
    }
}

impl Seats {
    fn new(show: String, class: Option<String>, count: u64, unknown: Map<String, Value>) -> Self {
        let key = match &class {
            Some(class) => format!("{show}/{class}"),
            None => show.clone(),
        };
        Self {
            show,
            class,
            count,
            key,
            unknown,
        }
    }

    /// Returns the key of the row that has what is left.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the number of seats.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// Reads an order, and collects its violations.
pub(super) fn read(
    value: &RawValue,
    root: &Pointer<'_>,
    violations: &mut Violations,
) -> Option<Order> {
    let [seats, booking] = json::object(value, root, ["seats", "booking"], violations)?;

    let at_seats = Pointer::Member(root, "seats");
    let seats = required(seats, &at_seats, violations)
        .and_then(|seats| json::array(seats, &at_seats, (1, MAX_SEATS), violations))
        .map(|seats| {
            let seats = seats.iter().enumerate();
            seats
                .map(|(n, seats)| read_seats(seats, &Pointer::Element(&at_seats, n), violations))
                .collect::<Vec<_>>()
        });

    let at = Pointer::Member(root, "booking");
    let booking = optional(booking).and_then(|value| read_name(value, &at, violations));
    let seats = seats?.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Order {
        seats,
        booking,
        unknown: Map::new(),
    })
}

fn read_seats(value: &RawValue, at: &Pointer<'_>, violations: &mut Violations) -> Option<Seats> {
    let [show, class, count] = json::object(value, at, ["show", "class", "count"], violations)?;
    let place = Pointer::Member(at, "show");
    let show =
        required(show, &place, violations).and_then(|value| read_name(value, &place, violations));
    let place = Pointer::Member(at, "class");
    let class = optional(class).map(|value| read_name(value, &place, violations));
    let place = Pointer::Member(at, "count");
    let count = required(count, &place, violations)
        .and_then(|value| json::integer(value, &place, (1, MAX_COUNT), violations));
    let class = match class {
        Some(class) => Some(class?),
        None => None,
    };
    Some(Seats::new(show?, class, count?, Map::new()))
}

fn read_name(value: &RawValue, at: &Pointer<'_>, violations: &mut Violations) -> Option<String> {
    let name = json::string(value, at, violations)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Some(name.into());
    }
    violations.add(at, format!("must be 1 to {MAX_NAME} of A-Z a-z 0-9 . _ -"));
    None
}

/// An order in a message or a row, which was checked when it was accepted.
#[derive(Deserialize)]
struct Stored {
    seats: Vec<Seats>,
    booking: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl TryFrom<Stored> for Order {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let mut counts = stored.seats.iter().map(|seats| seats.count);
        let sum = counts.try_fold(0_u64, u64::checked_add);
        sum.ok_or("the number of seats overflows")?;
        Ok(Self {
            seats: stored.seats,
            booking: stored.booking,
            unknown: stored.unknown,
        })
    }
}

/// Seats in a message or a row.
#[derive(Deserialize)]
struct StoredSeats {
    show: String,
    class: Option<String>,
    count: u64,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl From<StoredSeats> for Seats {
    fn from(stored: StoredSeats) -> Self {
        Self::new(stored.show, stored.class, stored.count, stored.unknown)
    }
}
