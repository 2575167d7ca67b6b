//! Checks the transactions of `process` and the reads of `status`, as DynamoDB would.

use crate::bench::orders;
use anyhow::{Context, bail, ensure};
use events::{OrderId, OrderRecord, Outcome};
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item, from_item};
use serde_json::{Value, json};
use sim::units;
use std::collections::BTreeMap;

pub const ORDERS: &str = "OrdersTable";
pub const ARTICLES: &str = "ArticlesTable";

/// The maximum number of actions in a transaction.
const MOST_ACTIONS: usize = 100;

/// A transaction that writes orders and takes their stock.
#[derive(Debug)]
pub struct Transaction {
    pub orders: Vec<OrderId>,
    /// Write units.
    pub units: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    transact_items: Vec<Action>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
enum Action {
    #[serde(rename_all = "PascalCase")]
    Put {
        table_name: String,
        item: Item,
        condition_expression: String,
    },
    #[serde(rename_all = "PascalCase")]
    Update {
        table_name: String,
        key: Item,
        update_expression: String,
        condition_expression: String,
        expression_attribute_values: BTreeMap<String, AttributeValue>,
    },
}

/// Checks a `TransactWriteItems`: one conditional put for each order, all confirmed, and one conditional update for each
/// article, by exactly the pieces that the orders need; anything else is an error.
pub fn transact(body: &[u8]) -> anyhow::Result<Transaction> {
    let request: Request = serde_json::from_slice(body)?;
    let actions = request.transact_items;
    ensure!(actions.len() <= MOST_ACTIONS, "{} actions", actions.len());
    let (mut orders, mut units) = (Vec::new(), 0);
    let (mut needed, mut taken) = (BTreeMap::new(), BTreeMap::new());
    for action in actions {
        match action {
            Action::Put {
                table_name,
                item,
                condition_expression,
            } => {
                ensure!(table_name == ORDERS, "a put into {table_name}");
                ensure!(
                    condition_expression.contains("attribute_not_exists(id)"),
                    "a put that would overwrite: {condition_expression}"
                );
                units += units::in_transaction(&item);
                let record: OrderRecord =
                    from_item(item).context("a row that status can't read")?;
                ensure!(record.outcome == Outcome::Confirmed, "{:?}", record.outcome);
                ensure!(record.summary == record.order.summary(), "a wrong summary");
                for (sku, pieces) in record.order.claims() {
                    *needed.entry(sku.to_owned()).or_insert(0) += pieces;
                }
                orders.push(record.id);
            }
            Action::Update {
                table_name,
                key,
                update_expression,
                condition_expression,
                expression_attribute_values: values,
            } => {
                ensure!(table_name == ARTICLES, "an update of {table_name}");
                ensure!(
                    condition_expression.contains("in_stock")
                        && update_expression.contains("in_stock"),
                    "an update that may oversell: {update_expression} if {condition_expression}"
                );
                // An article's row is its key and a number: smaller than a KiB.
                units += units::in_transaction(&key);
                let sku: Article = from_item(key)?;
                let pieces = values.values().find_map(|value| match value {
                    AttributeValue::N(pieces) => pieces.parse::<u64>().ok(),
                    _ => None,
                });
                let pieces = pieces.context("an update by no number")?;
                let before = taken.insert(sku.sku, pieces);
                ensure!(before.is_none(), "two updates of one article");
            }
        }
    }
    ensure!(needed == taken, "{needed:?} is needed and {taken:?} taken");
    Ok(Transaction { orders, units })
}

/// Answers a consistent read of orders, all of them confirmed; anything else is an error.
pub fn read(operation: &str, body: &[u8]) -> anyhow::Result<Value> {
    let request: Value = serde_json::from_slice(body)?;
    let is_consistent = |read: &Value| read["ConsistentRead"] == true;
    let id = |key: &Value| key["id"]["S"].as_str().map(str::to_owned);
    match operation {
        "GetItem" => {
            let is_right = request["TableName"] == ORDERS && is_consistent(&request);
            ensure!(is_right, "a read like {request}");
            let id = id(&request["Key"]).context("no key")?;
            Ok(json!({"Item": orders::row(&id, None)?}))
        }
        "BatchGetItem" => {
            let read = &request["RequestItems"][ORDERS];
            ensure!(is_consistent(read), "a read like {request}");
            let keys = read["Keys"].as_array().context("no keys")?;
            ensure!(
                (1..=MOST_ACTIONS).contains(&keys.len()),
                "{} keys",
                keys.len()
            );
            let names = read["ProjectionExpression"].as_str().context("no names")?;
            let names: Vec<_> = names
                .split(',')
                .map(|name| name.trim().trim_start_matches('#'))
                .collect();
            let rows = keys.iter().map(|key| {
                let id = id(key).context("no key")?;
                orders::row(&id, Some(&names))
            });
            let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
            Ok(json!({"Responses": {ORDERS: rows}, "UnprocessedKeys": {}}))
        }
        other => bail!("unexpected operation {other}"),
    }
}

#[derive(Deserialize)]
struct Article {
    sku: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> anyhow::Result<Value> {
        let row: Value =
            serde_json::from_str(include_str!("../../../../../events/order-record.json"))?;
        let update = |sku: &str, pieces: &str| {
            json!({"Update": {
                "TableName": ARTICLES,
                "Key": {"sku": {"S": sku}},
                "UpdateExpression": "SET in_stock = in_stock - :reserved",
                "ConditionExpression": "in_stock >= :reserved",
                "ExpressionAttributeValues": {":reserved": {"N": pieces}},
            }})
        };
        let put = json!({"Put": {
            "TableName": ORDERS, "Item": row, "ConditionExpression": "attribute_not_exists(id)",
        }});
        Ok(json!({"TransactItems": [put, update("teapot", "1"), update("cup", "2")]}))
    }

    #[test]
    fn an_order_and_its_stock_are_one_transaction() -> anyhow::Result<()> {
        let transaction = transact(request()?.to_string().as_bytes())?;
        assert_eq!(transaction.orders.len(), 1);
        assert_eq!(transaction.units, 6);
        Ok(())
    }

    #[test]
    fn a_transaction_that_breaks_a_promise_is_refused() -> anyhow::Result<()> {
        let check = |at: &str, value: Value| {
            let mut changed = request()?;
            *changed.pointer_mut(at).context("no such place")? = value;
            assert!(transact(changed.to_string().as_bytes()).is_err(), "{at}");
            anyhow::Ok(())
        };
        let put = "/TransactItems/0/Put";
        check(
            &format!("{put}/ConditionExpression"),
            json!("size(id) > :n"),
        )?;
        check(&format!("{put}/TableName"), json!("Other"))?;
        check(&format!("{put}/Item/status/S"), json!("failed"))?;
        check(&format!("{put}/Item/total/N"), json!("7401"))?;
        let update = "/TransactItems/1/Update";
        check(
            &format!("{update}/ExpressionAttributeValues/:reserved/N"),
            json!("2"),
        )?;
        check(
            &format!("{update}/ConditionExpression"),
            json!("attribute_exists(sku)"),
        )?;
        check(&format!("{update}/Key/sku/S"), json!("cup"))?;
        check("/TransactItems", json!([{"Delete": {}}]))
    }
}
