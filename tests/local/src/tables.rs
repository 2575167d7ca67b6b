//! The template's DynamoDB tables, in an embedded database.
//!
//! `wire` answers DynamoDB's protocol, on its own `threads`; this file creates the tables, with their first items.

mod threads;
mod wire;

use crate::template::model::Table;
use anyhow::{Context, anyhow};
use dynoxide::{
    AttributeValue, Database, DynoxideError, Item,
    actions::{put_item::PutItemRequest, scan::ScanRequest},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub use wire::Tables;

/// Opens the tables in a file, or in memory.
pub(crate) fn open(file: Option<PathBuf>) -> anyhow::Result<Database> {
    let Some(file) = file else {
        return Ok(Database::memory()?);
    };
    let path = file.to_str().context("the path is not UTF-8")?;
    Database::new(path).with_context(|| format!("cannot open {path}"))
}

/// Creates the tables, and fills those that have initial items; their paths are relative to `folder`.
pub(crate) fn create_all<'t>(
    database: &Database,
    tables: impl Iterator<Item = &'t Table> + Clone,
    folder: &Path,
) -> anyhow::Result<Vec<Filled>> {
    for table in tables.clone() {
        create(database, table)?;
    }
    let fill = |table: &Table| {
        let items = folder.join(table.items.as_ref()?);
        Some(fill(database, &table.name, &items))
    };
    tables.filter_map(fill).collect()
}

/// Creates a table; an existing one stays as it is.
fn create(database: &Database, table: &Table) -> anyhow::Result<()> {
    let request = serde_json::from_value(table.definition.clone());
    let request = request.with_context(|| format!("table {}", table.name))?;
    match database.create_table(request) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(anyhow!("cannot create table {}: {error}", table.name)),
    }
}

/// A table with initial items from the template.
#[derive(Debug, PartialEq, Eq)]
pub struct Filled {
    /// The table's name.
    pub table: String,
    /// Its items: each has the names of its attributes that are text or numbers, with their values.
    pub items: Vec<BTreeMap<String, String>>,
}

/// Puts the items of a JSON file, an array, into a table if it is empty.
fn fill(database: &Database, table: &str, file: &Path) -> anyhow::Result<Filled> {
    if scan(database, table)?.is_empty() {
        let items = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let items: Vec<Item> = serde_json::from_slice(&items)
            .with_context(|| format!("{} is not an array of items", file.display()))?;
        for item in items {
            database.put_item(PutItemRequest {
                table_name: table.to_owned(),
                item,
                ..PutItemRequest::default()
            })?;
        }
    }
    let attribute = |(name, value)| match value {
        AttributeValue::S(value) | AttributeValue::N(value) => Some((name, value)),
        _ => None,
    };
    let mut items: Vec<BTreeMap<_, _>> = scan(database, table)?
        .into_iter()
        .map(|item| item.into_iter().filter_map(attribute).collect())
        .collect();
    items.sort_unstable();
    Ok(Filled {
        table: table.to_owned(),
        items,
    })
}

/// Reads only the first page, which is 1 MB.
fn scan(database: &Database, table: &str) -> anyhow::Result<Vec<Item>> {
    let request = ScanRequest {
        table_name: table.to_owned(),
        ..ScanRequest::default()
    };
    Ok(database.scan(request)?.items.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_table_is_filled_once() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("articles.json");
        fs::write(
            &file,
            r#"[{"sku":{"S":"b"},"in_stock":{"N":"7"}},{"sku":{"S":"a"},"in_stock":{"N":"0"},"set":{"SS":["x"]}}]"#,
        )?;
        let tables = Some(folder.path().join("tables.db"));
        let table = Table {
            name: "Articles".to_owned(),
            definition: json!({
                "TableName": "Articles",
                "KeySchema": [{"AttributeName": "sku", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "sku", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            }),
            items: None,
        };
        let item = |sku: &str, in_stock: &str| {
            let attributes = [("sku", sku), ("in_stock", in_stock)];
            attributes
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        let expected = Filled {
            table: "Articles".to_owned(),
            items: vec![item("a", "0"), item("b", "7")],
        };
        // The second time, the table exists and keeps its items.
        for _ in 0..2 {
            let database = open(tables.clone())?;
            create(&database, &table)?;
            assert_eq!(fill(&database, "Articles", &file)?, expected);
            fs::write(&file, "[]")?;
        }
        let database = Database::memory()?;
        create(&database, &table)?;
        let missing = fill(&database, "Articles", &folder.path().join("missing.json"));
        let error = missing.err().context("there is no such file")?;
        assert!(format!("{error:#}").contains("missing.json"), "{error:#}");
        Ok(())
    }
}
