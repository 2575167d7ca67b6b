//! `DynamoDB`: the template's tables, and the articles' stock.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use dynoxide::{
    AttributeValue, Database, DynoxideError, Item,
    actions::{put_item::PutItemRequest, scan::ScanRequest},
};

use crate::template::model::Table;

/// Opens the tables in a file, or in memory.
pub(crate) fn open(file: Option<PathBuf>) -> anyhow::Result<Database> {
    let Some(file) = file else {
        return Ok(Database::memory()?);
    };
    let path = file.to_str().context("the path is not UTF-8")?;
    Database::new(path).with_context(|| format!("cannot open {path}"))
}

/// Creates a table; one that exists stays as it is.
pub(crate) fn create(database: &Database, table: &Table) -> anyhow::Result<()> {
    let request = serde_json::from_value(table.definition.clone());
    let request = request.with_context(|| format!("table {}", table.name))?;
    match database.create_table(request) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(anyhow!("cannot create table {}: {error}", table.name)),
    }
}

/// Puts the articles of a JSON file, an array of items, into a table that is empty.
pub(crate) fn stock_up(database: &Database, table: &str, file: &Path) -> anyhow::Result<()> {
    if !scan(database, table)?.is_empty() {
        return Ok(());
    }
    let items = match fs::read(file) {
        Ok(items) => items,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(anyhow!("cannot read {}: {error}", file.display())),
    };
    let items: Vec<Item> = serde_json::from_slice(&items)
        .with_context(|| format!("{} is not an array of items", file.display()))?;
    for item in items {
        database.put_item(PutItemRequest {
            table_name: table.to_owned(),
            item,
            ..PutItemRequest::default()
        })?;
    }
    Ok(())
}

/// The articles and how many pieces of each there are, by name.
pub(crate) fn stock(database: &Database, table: &str) -> anyhow::Result<Vec<(String, u64)>> {
    let items = scan(database, table)?;
    let mut articles: Vec<_> = items
        .into_iter()
        .filter_map(|item| match (item.get("sku")?, item.get("in_stock")?) {
            (AttributeValue::S(sku), AttributeValue::N(pieces)) => {
                Some((sku.clone(), pieces.parse().ok()?))
            }
            _ => None,
        })
        .collect();
    articles.sort();
    Ok(articles)
}

/// The first page, which is 1 MB.
fn scan(database: &Database, table: &str) -> anyhow::Result<Vec<Item>> {
    let request = ScanRequest {
        table_name: table.to_owned(),
        ..ScanRequest::default()
    };
    Ok(database.scan(request)?.items.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_table_is_stocked_up_once() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("articles.json");
        fs::write(
            &file,
            r#"[{"sku":{"S":"b"},"in_stock":{"N":"7"}},{"sku":{"S":"a"},"in_stock":{"N":"0"}}]"#,
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
        };
        for expected in [
            vec![("a".to_owned(), 0), ("b".to_owned(), 7)],
            // The table exists and keeps what it has.
            vec![("a".to_owned(), 0), ("b".to_owned(), 7)],
        ] {
            let database = open(tables.clone())?;
            create(&database, &table)?;
            stock_up(&database, "Articles", &file)?;
            assert_eq!(stock(&database, "Articles")?, expected);
            fs::write(&file, "[]")?;
        }
        Ok(())
    }
}
