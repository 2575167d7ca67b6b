//! The row of an article.

use super::Found;
use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld, Update},
};
use std::collections::HashMap;

/// The environment variable that names the table of these rows.
pub const TABLE: &str = "ARTICLES_TABLE";

/// Returns the update of a `table` that takes `amount` of what is left of a key, on condition that enough is.
pub fn reserve(table: &str, key: &str, amount: u64) -> Result<Update, BuildError> {
    Update::builder()
        .table_name(table)
        .key("sku", AttributeValue::S(key.to_owned()))
        .update_expression("SET in_stock = in_stock - :reserved")
        .condition_expression("in_stock >= :reserved")
        .expression_attribute_values(":reserved", AttributeValue::N(amount.to_string()))
        .return_values_on_condition_check_failure(AllOld)
        .build()
}

/// Returns what a key's row shows after that condition failed, or why it can't be read. `None`: it has no row. An operator writes
/// the row, so the attribute may be anything. A fraction of a piece doesn't count, and a negative number counts as 0.
pub fn find(row: Option<&HashMap<String, AttributeValue>>) -> Result<Found, &'static str> {
    const NOT_A_NUMBER: &str = "in_stock is not a number";
    let Some(row) = row else {
        return Ok(Found::Missing);
    };
    let number = row.get("in_stock").and_then(|left| left.as_n().ok());
    let number = number.ok_or(NOT_A_NUMBER)?;
    let (whole, _fraction) = number.split_once('.').unwrap_or((number, ""));
    let left = if number.starts_with('-') && number.parse::<f64>().is_ok() {
        0
    } else {
        whole.parse().map_err(|_| NOT_A_NUMBER)?
    };
    Ok(Found::Left(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pieces_are_left_however_the_number_is_written() {
        let check = |left: AttributeValue, expected: Option<u64>| {
            let row = HashMap::from([("in_stock".to_owned(), left)]);
            assert_eq!(find(Some(&row)).ok(), expected.map(Found::Left));
        };
        let number = |text: &str| AttributeValue::N(text.to_owned());
        check(number("7"), Some(7));
        check(number("0"), Some(0));
        check(number("7.9"), Some(7));
        check(number("-3"), Some(0));
        check(number("-0.5"), Some(0));
        check(number("1E2"), None);
        check(AttributeValue::S("7".to_owned()), None);
        assert!(find(Some(&HashMap::new())).is_err());
        assert_eq!(find(None), Ok(Found::Missing));
    }
}
