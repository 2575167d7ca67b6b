//! Accepts an order, as the tutorials do it: `lambda_http`, `aws-config`, serde, `send_message`, 202.

use std::env;

use aws_sdk_sqs::Client;
use lambda_http::{
    Body, Error, Request, RequestExt, Response, request::RequestContext, run, service_fn, tracing,
};
use rust_tutorial::{Order, Placed, now};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_from_env().await;
    let client = Client::new(&config);
    let queue_url = env::var("QUEUE_URL")?;
    run(service_fn(|request: Request| {
        handler(&client, &queue_url, request)
    }))
    .await
}

async fn handler(client: &Client, queue_url: &str, request: Request) -> Result<Response<Body>, Error> {
    let order: Order = match serde_json::from_slice(request.body()) {
        Ok(order) => order,
        Err(error) => return answer(400, json!({"message": error.to_string()})),
    };
    if let Some(fault) = fault(&order) {
        return answer(422, json!({"message": fault}));
    }
    let caller = match request.request_context() {
        RequestContext::ApiGatewayV1(context) => context.identity.api_key_id,
        _ => None,
    };
    let caller = caller.unwrap_or_else(|| "anonymous".to_owned());
    let placed = Placed {
        r#type: "order.placed".to_owned(),
        version: 1,
        id: Uuid::new_v4().to_string(),
        fingerprint: format!("{:x}", Sha256::digest(serde_json::to_vec(&order)?)),
        placed_at: now(),
        order,
        client: caller,
    };
    let group = format!("{:x}", Sha256::digest(&placed.client));
    client
        .send_message()
        .queue_url(queue_url)
        .message_body(serde_json::to_string(&placed)?)
        .message_group_id(&group[..32])
        .send()
        .await?;
    tracing::info!(order_id = placed.id, "queued");
    answer(202, json!({"id": placed.id, "status": "queued"}))
}

fn fault(order: &Order) -> Option<&'static str> {
    if order.lines.is_empty() || order.lines.len() > 50 {
        return Some("an order has 1 to 50 lines");
    }
    if order.currency.len() != 3 || !order.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some("currency must be an ISO 4217 code");
    }
    for line in &order.lines {
        if line.sku.is_empty() || line.sku.len() > 64 {
            return Some("sku must have 1 to 64 characters");
        }
        if !(1..=1_000_000).contains(&line.quantity) || line.unit_price > 1_000_000_000_000 {
            return Some("quantity or unit_price is out of range");
        }
    }
    None
}

fn answer(status: u16, body: serde_json::Value) -> Result<Response<Body>, Error> {
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.to_string().into())?)
}
