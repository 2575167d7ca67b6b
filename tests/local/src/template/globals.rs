//! Merges `Globals`: properties that SAM adds to every resource of a kind.

use super::yaml::{Node, Value};

/// Merges `own` over `global`: mappings are merged, lists concatenated, and anything else is replaced. An intrinsic function
/// counts as a single value.
pub fn merge(global: &Node, own: &Node) -> Node {
    let value = match (&global.value, &own.value) {
        (Value::List(global), Value::List(own)) => Value::List([&global[..], own].concat()),
        (Value::Map(globals), Value::Map(_)) => {
            let mut entries: Vec<_> = globals
                .iter()
                .map(|(key, global)| {
                    let own = own.get(key);
                    (
                        key.clone(),
                        own.map_or(global.clone(), |own| merge(global, own)),
                    )
                })
                .collect();
            if let Value::Map(own) = &own.value {
                let new = own.iter().filter(|(key, _)| global.get(key).is_none());
                entries.extend(new.cloned());
            }
            Value::Map(entries)
        }
        _ => own.value.clone(),
    };
    Node {
        value,
        ..own.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::yaml, *};
    use anyhow::{Context, Result};

    #[test]
    fn a_resource_s_own_properties_go_over_the_globals() -> Result<()> {
        for (global, own, expected) in [
            ("{a: 1}", "{b: 2}", "{a: 1, b: 2}"),
            ("{a: 1}", "{a: 2}", "{a: 2}"),
            ("{a: {b: 1, c: 1}}", "{a: {c: 2}}", "{a: {b: 1, c: 2}}"),
            ("{a: [1]}", "{a: [2]}", "{a: [1, 2]}"),
            ("{a: {b: 1}}", "{a: !Ref B}", "{a: !Ref B}"),
            ("{a: !Ref B}", "{a: {b: 1}}", "{a: {b: 1}}"),
        ] {
            let merged = merge(&yaml::load(global)?, &yaml::load(own)?);
            let expected = yaml::load(expected)?;
            let differs = || format!("{global} and {own} make {merged:?}");
            same(&merged, &expected)
                .then_some(())
                .with_context(differs)?;
        }
        Ok(())
    }

    /// Compares values, wherever they are in the file.
    fn same(left: &Node, right: &Node) -> bool {
        match (&left.value, &right.value) {
            (Value::Text(left), Value::Text(right)) => left == right,
            (Value::List(left), Value::List(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
            }
            (Value::Map(left), Value::Map(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(right)
                        .all(|(l, r)| l.0 == r.0 && same(&l.1, &r.1))
            }
            (Value::Call(left, l), Value::Call(right, r)) => left == right && same(l, r),
            _ => false,
        }
    }
}
