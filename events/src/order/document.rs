//! The document that a client sends, and the API's rules for it.

pub mod currency;

use crate::{
    json::{self, optional, required},
    violation::{Pointer, Violations},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

/// Maximum number of lines of an order.
pub const MAX_LINES: usize = 50;
/// Maximum number of characters of a sku and of a reference.
pub const MAX_TEXT: usize = 64;
/// Maximum number of pieces of one line.
pub const MAX_QUANTITY: u64 = 1_000_000;
/// Highest price of one piece, in the currency's minor unit.
pub const MAX_UNIT_PRICE: u64 = 1_000_000_000_000;
/// Highest total of an order, in the currency's minor unit: the largest integer up to which JavaScript's numbers are exact.
pub const MAX_TOTAL: u64 = (1 << 53) - 1;

/// A valid order: [`Order::parse`] applies every rule of the API, and reading a stored order (`Deserialize`) makes sure that
/// its sums cannot overflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Order {
    lines: Vec<Line>,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip)]
    total: u64,
    /// Fields of a later version, kept on the way from the message to the row.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// One line of an order: an article, a quantity and a unit price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    sku: String,
    quantity: u64,
    unit_price: u64,
    /// Fields of a later version.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Order {
    /// Returns the lines, in the client's sequence.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the ISO 4217 code.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Returns the client's own name for the order.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// Returns the order's price, in the currency's minor unit.
    pub fn total(&self) -> u64 {
        self.total
    }
}

impl Line {
    /// Returns the article.
    pub fn sku(&self) -> &str {
        &self.sku
    }

    /// Returns the number of pieces.
    pub fn quantity(&self) -> u64 {
        self.quantity
    }

    /// Returns the price of one piece, in the currency's minor unit.
    pub fn unit_price(&self) -> u64 {
        self.unit_price
    }
}

/// Reads an order, and collects its violations.
pub(super) fn read(
    value: &RawValue,
    root: &Pointer<'_>,
    violations: &mut Violations,
) -> Option<Order> {
    let [lines, currency, reference] =
        json::object(value, root, ["lines", "currency", "reference"], violations)?;

    let at_lines = Pointer::Member(root, "lines");
    let lines = required(lines, &at_lines, violations)
        .and_then(|lines| json::array(lines, &at_lines, (1, MAX_LINES), violations))
        .map(|lines| {
            let lines = lines.iter().enumerate();
            lines
                .map(|(n, line)| read_line(line, &Pointer::Element(&at_lines, n), violations))
                .collect::<Vec<_>>()
        });

    let at = Pointer::Member(root, "currency");
    let currency =
        required(currency, &at, violations).and_then(|value| json::string(value, &at, violations));
    if let Some(code) = &currency
        && !currency::is_current(code)
    {
        let rule = "must be the ISO 4217 code, in upper case, of a currency in use, such as EUR";
        violations.add(&at, rule);
    }

    let at = Pointer::Member(root, "reference");
    let reference = optional(reference).and_then(|value| json::string(value, &at, violations));
    if let Some(text) = &reference {
        if text.chars().count() > MAX_TEXT {
            violations.add(&at, format!("must have at most {MAX_TEXT} characters"));
        }
        if text.chars().any(char::is_control) {
            violations.add(&at, "must have no control characters");
        }
    }

    let lines = lines?.into_iter().collect::<Option<Vec<_>>>()?;
    let total = sum(&lines).filter(|total| *total <= MAX_TOTAL);
    if total.is_none() {
        violations.add(
            &at_lines,
            format!("the order's total must be at most {MAX_TOTAL}"),
        );
    }
    let reference = reference.map(Into::into);
    Some(Order {
        lines,
        currency: currency?.into(),
        reference,
        total: total?,
        unknown: Map::new(),
    })
}

fn read_line(value: &RawValue, at: &Pointer<'_>, violations: &mut Violations) -> Option<Line> {
    let [sku, quantity, unit_price] =
        json::object(value, at, ["sku", "quantity", "unit_price"], violations)?;

    let place = Pointer::Member(at, "sku");
    let sku =
        required(sku, &place, violations).and_then(|value| json::string(value, &place, violations));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if let Some(sku) = &sku
        && !((1..=MAX_TEXT).contains(&sku.len()) && sku.bytes().all(allowed))
    {
        violations.add(
            &place,
            format!("must be 1 to {MAX_TEXT} of A-Z a-z 0-9 . _ -"),
        );
    }

    let place = Pointer::Member(at, "quantity");
    let quantity = required(quantity, &place, violations)
        .and_then(|value| json::integer(value, &place, (1, MAX_QUANTITY), violations));

    let place = Pointer::Member(at, "unit_price");
    let unit_price = required(unit_price, &place, violations)
        .and_then(|value| json::integer(value, &place, (0, MAX_UNIT_PRICE), violations));

    Some(Line {
        sku: sku?.into(),
        quantity: quantity?,
        unit_price: unit_price?,
        unknown: Map::new(),
    })
}

/// Returns the total of the lines; None if it, or an article's quantity, overflows.
fn sum(lines: &[Line]) -> Option<u64> {
    lines
        .iter()
        .try_fold(0_u64, |sum, line| sum.checked_add(line.quantity))?;
    lines.iter().try_fold(0_u64, |sum, line| {
        sum.checked_add(line.quantity.checked_mul(line.unit_price)?)
    })
}

/// An order in a message or a row, which was checked when it was accepted.
#[derive(Deserialize)]
struct Stored {
    lines: Vec<Line>,
    currency: String,
    reference: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl TryFrom<Stored> for Order {
    type Error = &'static str;

    fn try_from(
        Stored {
            lines,
            currency,
            reference,
            unknown,
        }: Stored,
    ) -> Result<Self, Self::Error> {
        let total = sum(&lines).ok_or("the order's sums overflow")?;
        Ok(Self {
            lines,
            currency,
            reference,
            total,
            unknown,
        })
    }
}
