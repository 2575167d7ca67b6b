//! Writes the orders of a batch, as the tutorials do it: record by record, each in its own transaction.

use std::{collections::BTreeMap, env};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use rust_tutorial::{Order, Placed, now};
use serde::Serialize;

struct Tables {
    client: Client,
    orders: String,
    articles: String,
}

#[derive(Serialize)]
struct Row {
    id: String,
    status: &'static str,
    client: String,
    placed_at: String,
    processed_at: String,
    fingerprint: String,
    total: u64,
    order: Order,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_from_env().await;
    let tables = Tables {
        client: Client::new(&config),
        orders: env::var("ORDERS_TABLE")?,
        articles: env::var("ARTICLES_TABLE")?,
    };
    run(service_fn(|event: LambdaEvent<SqsEvent>| {
        handler(&tables, event.payload)
    }))
    .await
}

async fn handler(tables: &Tables, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        if let Err(error) = tables.write(&record).await {
            tracing::error!(error, "not written");
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    Ok(response)
}

impl Tables {
    async fn write(&self, record: &SqsMessage) -> Result<(), Error> {
        let placed: Placed = serde_json::from_str(record.body.as_deref().unwrap_or_default())?;
        let mut quantities = BTreeMap::<_, u64>::new();
        for line in &placed.order.lines {
            *quantities.entry(line.sku.clone()).or_default() += line.quantity;
        }
        let lines = placed.order.lines.iter();
        let row = Row {
            total: lines.map(|line| line.quantity * line.unit_price).sum(),
            id: placed.id.clone(),
            status: "confirmed",
            client: placed.client,
            placed_at: placed.placed_at,
            processed_at: now(),
            fingerprint: placed.fingerprint,
            order: placed.order,
        };
        let put = Put::builder()
            .table_name(&self.orders)
            .set_item(Some(serde_dynamo::to_item(row)?))
            .condition_expression("attribute_not_exists(id)")
            .build()?;
        let mut transaction = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build());
        for (sku, pieces) in quantities {
            let update = Update::builder()
                .table_name(&self.articles)
                .key("sku", AttributeValue::S(sku))
                .update_expression("SET in_stock = in_stock - :taken")
                .condition_expression("in_stock >= :taken")
                .expression_attribute_values(":taken", AttributeValue::N(pieces.to_string()))
                .build()?;
            transaction = transaction.transact_items(TransactWriteItem::builder().update(update).build());
        }
        transaction.send().await?;
        tracing::info!(order_id = placed.id, "confirmed");
        Ok(())
    }
}
