//! Write units, as DynamoDB counts them: one for each started KB of an item, and twice that in a transaction.
//!
//! Source: "DynamoDB item sizes and formats" and "Read and write capacity" in DynamoDB's developer guide.

use serde_json::Value;

/// Bytes of a unit.
const KB: u32 = 1024;

/// The units that putting an item uses, given as DynamoDB's JSON.
pub fn put_units(item: &Value, transactional: bool) -> u32 {
    let units = attributes(item).div_ceil(KB).max(1);
    if transactional { 2 * units } else { units }
}

/// The units that changing an article uses, in a transaction: its row is far below a KB.
pub fn update_units() -> u32 {
    2
}

/// Names and values of a map's attributes.
fn attributes(map: &Value) -> u32 {
    let attributes = map.as_object().into_iter().flatten();
    attributes
        .map(|(name, value)| bytes(name) + size(value))
        .sum()
}

/// The size of a value such as `{"S": "text"}`.
fn size(value: &Value) -> u32 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("S" | "B", Value::String(text)) => bytes(text),
        // Two digits a byte, and one more.
        ("N", Value::String(number)) => bytes(number).div_ceil(2) + 1,
        // Three for the list or map, and one for each element.
        ("L", Value::Array(list)) => 3 + list.iter().map(|element| 1 + size(element)).sum::<u32>(),
        ("M", Value::Object(map)) => {
            3 + u32::try_from(map.len()).unwrap_or(u32::MAX) + attributes(value)
        }
        _ => 1,
    }
}

fn bytes(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_its_names_and_values() {
        let item = json!({
            "id": {"S": "abc"},
            "total": {"N": "2500"},
            "lines": {"L": [{"M": {"sku": {"S": "cup"}}}]},
            "gone": {"NULL": true},
        });
        // id 2+3, total 5+3, lines 5+3+1+(3+1+3+3), gone 4+1
        assert_eq!(attributes(&item), 5 + 8 + 19 + 5);
        assert_eq!(put_units(&item, false), 1);
        assert_eq!(put_units(&item, true), 2);
        let large = json!({"id": {"S": "x".repeat(1023)}});
        assert_eq!(put_units(&large, true), 4);
    }
}
