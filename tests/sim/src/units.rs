//! Write units, as DynamoDB counts them.

use serde_dynamo::{AttributeValue, Item};

/// The write units of an item in a transaction: two for each started KiB.
pub fn in_transaction(item: &Item) -> u64 {
    2 * kibibytes(item)
}

/// The write units of an item that is put by itself: one for each started KiB.
pub fn alone(item: &Item) -> u64 {
    kibibytes(item)
}

fn kibibytes(item: &Item) -> u64 {
    let bytes: usize = item
        .iter()
        .map(|(name, value)| name.len() + size(value))
        .sum();
    u64::try_from(bytes.div_ceil(1024))
        .unwrap_or(u64::MAX)
        .max(1)
}

/// The bytes of a value, by "DynamoDB item sizes and formats" in its Developer Guide.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::N(number) => {
            // Two digits per byte, plus a byte for the exponent and one for the sign.
            let digits = number.bytes().filter(u8::is_ascii_digit).count();
            digits.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
        }
        AttributeValue::S(text) => text.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::M(map) => {
            let pairs = map.iter().map(|(name, value)| 1 + name.len() + size(value));
            3 + pairs.sum::<usize>()
        }
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter().map(String::len).sum()
        }
        AttributeValue::Bs(all) => all.iter().map(Vec::len).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_takes_two_units_a_kibibyte_begun() {
        let check = |bytes: usize, units| {
            let text = AttributeValue::S("x".repeat(bytes - "id".len()));
            let item = Item::from(std::collections::HashMap::from([("id".to_owned(), text)]));
            assert_eq!(in_transaction(&item), units, "{bytes} bytes");
            assert_eq!(alone(&item), units / 2, "{bytes} bytes");
        };
        check(3, 2);
        check(1024, 2);
        check(1025, 4);
        check(5 * 1024, 10);
    }

    #[test]
    fn a_value_is_as_large_as_the_guide_says() {
        let check = |value: AttributeValue, bytes| assert_eq!(size(&value), bytes, "{value:?}");
        check(AttributeValue::S("M\u{fc}ller".to_owned()), 7);
        check(AttributeValue::N("4900".to_owned()), 3);
        check(AttributeValue::N("-1".to_owned()), 3);
        check(AttributeValue::L(vec![AttributeValue::Bool(true)]), 5);
        let map = [("ab".to_owned(), AttributeValue::Null(true))];
        check(AttributeValue::M(map.into()), 7);
    }
}
