//! Numbers in a later version's fields, as DynamoDB stores them.

use aws_sdk_dynamodb::types::AttributeValue;
use events::exact::NUMBER;
use std::mem;

/// Maximum number of digits that DynamoDB keeps of a number.
const MOST_DIGITS: usize = 38;

/// Writes each number with its own digits, at any depth. A number that DynamoDB can't store becomes text; refusing it would
/// keep the order out of the table.
pub(super) fn exact(value: &mut AttributeValue) {
    if let AttributeValue::M(members) = value
        && members.len() == 1
        && let Some(AttributeValue::S(number)) = members.get_mut(NUMBER)
    {
        *value = AttributeValue::N(mem::take(number));
    }
    match value {
        AttributeValue::N(number) if !is_storable(number) => {
            *value = AttributeValue::S(mem::take(number));
        }
        AttributeValue::L(values) => values.iter_mut().for_each(exact),
        AttributeValue::M(members) => members.values_mut().for_each(exact),
        _ => {}
    }
}

/// Returns whether a number has at most 38 digits, and is 0 or from 10⁻¹³⁰ to below 10¹²⁶.
fn is_storable(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else {
        return false;
    };
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let Some(first) = digits.find(|digit| digit != '0') else {
        return digits.bytes().all(|digit| digit == b'0');
    };
    let position = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let magnitude = exponent.saturating_add(position(whole.len()) - 1 - position(first));
    digits.bytes().all(|digit| digit.is_ascii_digit())
        && digits[first..].trim_end_matches('0').len() <= MOST_DIGITS
        && (-130..=125).contains(&magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{faked, records::Pending, stock::Known, transaction::Transaction};
    use anyhow::Context;
    use events::{OrderPlaced, OrderRecord, Outcome};
    use serde_dynamo::Item;
    use serde_json::{Value, json};
    use std::{
        sync::{Arc, Mutex},
        time::{Duration, UNIX_EPOCH},
    };

    #[tokio::test]
    async fn a_number_of_a_later_version_reaches_the_row_as_it_is() {
        let large = "1".repeat(50);
        let check = async |number: &str, expected: Value| {
            let later = format!(r#"{{"later":{{"list":[{number}]}},"#);
            let body = faked::pending(0, &[1]).placed.to_json();
            // Adds the field to each object.
            let body = body.replace('{', &later);
            let placed = OrderPlaced::from_json(&body).expect("an order");
            let order = Pending {
                placed,
                ..faked::pending(0, &[1])
            };
            let seen = Arc::<Mutex<Value>>::default();
            let to = seen.clone();
            let table = faked::table(&faked::aws(move |_, body| {
                *to.lock().expect("no panic in here") =
                    body["TransactItems"][0]["Put"]["Item"].clone();
                None
            }));
            let transaction = Transaction::decide(&vec![&order], &Known::new());
            let written = table.write(&transaction, UNIX_EPOCH.into()).await;
            assert!(written.is_ok(), "{number}");
            let item = seen.lock().expect("no panic in here");
            let kept = format!(r#""later":{{"M":{{"list":{{"L":[{expected}]}}}}}}"#);
            let objects = body.matches(&later).count();
            assert_eq!(item.to_string().matches(&kept).count(), objects, "{item}");
        };
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "1.50",
            "7",
            "0.25",
        ] {
            check(number, json!({"N": number})).await;
        }
        // DynamoDB can't store these numbers.
        for number in [&large, "1e999"] {
            check(number, json!({"S": number})).await;
        }
    }

    #[test]
    fn dynamodb_holds_38_digits() {
        let check = |number: &str, expected| assert_eq!(is_storable(number), expected, "{number}");
        let nines = "9".repeat(38);
        check("0", true);
        check("-0.0", true);
        check("18446744073709551616", true);
        check(&nines, true);
        check(&format!("-{nines}"), true);
        check(&format!("{nines}9"), false);
        check(&format!("{nines}000"), true);
        check(&format!("0.000{nines}"), true);
        check(&format!("{nines}.5"), false);
        check("1e125", true);
        check("9.9E+125", true);
        check("1e126", false);
        check("0.1e126", true);
        check("1e-130", true);
        check("1e-131", false);
        check("1e99999999999999999999", false);
        check("seven", false);
    }

    /// Reads it as `status` does.
    #[test]
    fn a_row_with_fields_of_a_later_version_is_read_as_it_was_written() -> anyhow::Result<()> {
        let sample = include_str!("../../../events/order-placed.json");
        let mut message: Value = serde_json::from_str(sample)?;
        let later = json!({"a": [1, -2, 0.5, true, null, "text", {}], "b": u64::MAX});
        for place in ["", "/order"] {
            message.pointer_mut(place).context("it is in the sample")?["later"] = later.clone();
        }
        let placed = OrderPlaced::from_json(&message.to_string())?;
        let time = "2026-11-22T09:00:01Z".parse()?;
        let row = OrderRecord::new(placed, Outcome::Confirmed, time);
        for row in [row.clone(), row.kept_for(Duration::from_hours(30 * 24))] {
            let item: Item = serde_dynamo::to_item(&row)?;
            assert_eq!(serde_dynamo::from_item::<_, OrderRecord>(item)?, row);
        }
        Ok(())
    }
}
