//! `GET /orders/{id}`: what became of an order.

use crate::{problem::Problem, request::Request, response::Response};
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use events::{Order, OrderId, OrderIds, OrderRecord, Outcome, Timestamp, text::bounded};
use serde::Serialize;

/// Tells what became of orders.
#[derive(Debug)]
pub struct StatusDesk {
    ids: OrderIds,
    dynamodb: DynamoDb,
    table: String,
}

impl StatusDesk {
    /// Recognises ids by `ids`, and reads rows from `table`.
    pub fn new(ids: OrderIds, dynamodb: DynamoDb, table: String) -> StatusDesk {
        StatusDesk {
            ids,
            dynamodb,
            table,
        }
    }

    /// Answers a request.
    pub async fn handle(&self, request: &Request) -> Response {
        let mut response = self.find(request).await.unwrap_or_else(Response::from);
        if request.method == "HEAD" {
            response.body.clear();
        }
        response
    }

    async fn find(&self, request: &Request) -> Result<Response, Problem> {
        if !["GET", "HEAD"].contains(&request.method.as_str()) {
            return Err(Problem::MethodNotAllowed("GET, HEAD"));
        }
        let id = self
            .ids
            .recognise(&request.client, &request.id)
            .ok_or(Problem::UnknownOrder)?;
        let record = self.read(id).await.map_err(|error| {
            tracing::error!(order_id = %id, %error, "not read");
            Problem::TableUnavailable
        })?;
        tracing::info!(order_id = %id, "read");
        Ok(match record {
            Some(record) => Response::json(200, "application/json", &View::from(record)),
            // Accepted, because its id was issued; not processed yet.
            None => Response::queued(200, id),
        })
    }

    /// The order's row. Read consistently: an outcome that was seen once never turns back to `queued`.
    async fn read(&self, id: OrderId) -> Result<Option<OrderRecord>, String> {
        let read = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .consistent_read(true);
        let read = read
            .key("id", AttributeValue::S(id.to_string()))
            .send()
            .await;
        let item = read
            .map_err(|error| bounded(&format!("{:#}", anyhow::Error::new(error))))?
            .item;
        item.map(serde_dynamo::from_item)
            .transpose()
            .map_err(|_| "its row cannot be read".to_owned())
    }
}

/// What a client is shown of a row.
#[derive(Serialize)]
struct View {
    id: OrderId,
    #[serde(flatten)]
    outcome: Outcome,
    placed_at: Timestamp,
    processed_at: Timestamp,
    order: Order,
    total: u64,
}

impl From<OrderRecord> for View {
    fn from(record: OrderRecord) -> View {
        let OrderRecord {
            id,
            outcome,
            placed_at,
            processed_at,
            order,
            total,
            ..
        } = record;
        View {
            id,
            outcome,
            placed_at,
            processed_at,
            order,
            total,
        }
    }
}
