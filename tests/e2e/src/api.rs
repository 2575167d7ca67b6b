//! An HTTP client of the API.

use crate::{
    description::{self, Sent},
    patience::until,
    reply::Reply,
};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The API at one address, as one client.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Option<String>,
    at_a_time: Arc<Semaphore>,
    is_described: bool,
}

impl Api {
    /// The API at `url`, called with this key.
    pub fn new(url: &str, key: Option<String>) -> Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            key,
            at_a_time: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            is_described: false,
        })
    }

    /// Its address, with the stage.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the same API, with each answer checked against its description.
    pub fn described(self) -> Self {
        Self {
            is_described: true,
            ..self
        }
    }

    /// Returns the same API, sent at most this many requests at a time.
    pub fn at_most(self, at_a_time: usize) -> Self {
        Self {
            at_a_time: Arc::new(Semaphore::new(at_a_time)),
            ..self
        }
    }

    /// Returns the same API, called with another key, or with none.
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self {
            key: key.map(Into::into),
            ..self.clone()
        }
    }

    /// Sends a request with exactly these headers, plus the key.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Bytes = body.into();
        let request = request.body(Full::new(body.clone()))?;
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let permit = self.at_a_time.acquire().await?;
        let answer = self.client.request(request).await?;
        let (parts, answered) = answer.into_parts();
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            body: answered.collect().await?.to_bytes(),
        };
        drop(permit);
        if self.is_described {
            let (method, headers, body) = (&method, &headers, &body);
            let sent = Sent {
                method,
                path,
                headers,
                body,
            };
            description::check(&sent, &reply)?;
        }
        Ok(reply)
    }

    /// `POST /orders`
    pub async fn post(&self, order: &Value, idempotency_key: Option<&str>) -> Result<Reply> {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(idempotency_key.map(|key| ("idempotency-key", key)));
        self.send(Method::POST, "/orders", &headers, order.to_string())
            .await
    }

    /// `POST /orders`, which must be accepted; returns the id. With a key, retries after a 503, as a client may: on a busy
    /// machine the function's calls can time out.
    pub async fn place(&self, order: &Value, idempotency_key: Option<&str>) -> Result<String> {
        let reply = until("the order is accepted", || async {
            let reply = self.post(order, idempotency_key).await?;
            Ok(Some(reply).filter(|reply| idempotency_key.is_none() || reply.status != 503))
        })
        .await?;
        ensure!(reply.status == 202, "{reply:?}");
        Ok(reply.json()?["id"].as_str().context("no id")?.to_owned())
    }

    /// `POST /orders/batch`
    pub async fn post_batch(&self, entries: &[Value]) -> Result<Reply> {
        let headers = [("content-type", "application/json")];
        let body = json!({"orders": entries}).to_string();
        self.send(Method::POST, "/orders/batch", &headers, body)
            .await
    }

    /// `POST /orders/batch` of orders with keys, retried while the queue refuses any of them, as a client may; returns the
    /// results.
    pub async fn place_batch(&self, entries: &[Value]) -> Result<Vec<Value>> {
        until("the batch is accepted", || async {
            let results = self.post_batch(entries).await?.results()?;
            let refused = results.iter().any(|result| result["status"] == 503);
            Ok(Some(results).filter(|_| !refused))
        })
        .await
    }

    /// `GET /orders/{id}`
    pub async fn get(&self, id: &str) -> Result<Reply> {
        self.send(Method::GET, &format!("/orders/{id}"), &[], "")
            .await
    }

    /// Waits until the order is no longer queued, and returns it.
    pub async fn settled(&self, id: &str) -> Result<Value> {
        until(&format!("{id} has an outcome"), || async {
            let reply = self.get(id).await?;
            // On a machine that is too busy the table causes a 503, and the client retries.
            if reply.status == 503 {
                return Ok(None);
            }
            ensure!(
                reply.status == 200,
                "an accepted order was answered with {reply:?}"
            );
            Ok(Some(reply.json()?).filter(|order| order["status"] != "queued"))
        })
        .await
    }
}
