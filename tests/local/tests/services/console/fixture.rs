//! This project's template without its functions: the console, the services and the tables.

use crate::signed;
use anyhow::{Result, ensure};
use bytes::Bytes;
use dynoxide::Database;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::{
    callers::Callers,
    console::Console,
    event_bus::EventBuses,
    faults::Faults,
    gateway,
    lambda::Lambda,
    services::Services,
    sqs::{Sqs, url},
    tables::Tables,
    template::{self, model::Place},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::Ipv4Addr, path::Path, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

/// Text that would be an element, an attribute or a handler if it weren't escaped.
pub const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

pub struct Fixture {
    pub page: String,
    pub services: String,
    pub faults: Arc<Faults>,
    client: Client<HttpConnector, Full<Bytes>>,
    _servers: JoinSet<()>,
}

impl Fixture {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let answering = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let place = Place {
            api: format!("http://{}", listener.local_addr()?),
            services: format!("http://{}", answering.local_addr()?),
        };
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let stack = template::load(&template, &BTreeMap::new(), &place, &mut |_| "s".repeat(32))?;
        let database = Database::memory()?;
        for table in stack.tables.values() {
            database.create_table(serde_json::from_value(table.definition.clone())?)?;
        }
        let sqs = Sqs::open(None, &place.services)?;
        for queue in stack.queues.values() {
            sqs.create(queue)?;
        }
        let faults = Arc::new(Faults::new(stack.functions.keys().cloned()));
        let lambda = Lambda::new(&BTreeMap::new(), &BTreeMap::new(), "", 1, false, &faults)?;
        let lambda = Arc::new(lambda);
        let console = Console::new(
            &stack,
            &place,
            sqs.clone(),
            database.clone(),
            lambda.clone(),
            faults.clone(),
        );
        let services = Services::new(
            sqs.clone(),
            EventBuses::new(sqs),
            lambda.clone(),
            faults.clone(),
            Tables::new(database)?,
            Callers::default(),
            console.observer().clone(),
        );
        let gateway = gateway::router(&stack.api, lambda, Callers::default());
        let router = console.router(gateway, Callers::default());
        let mut servers = JoinSet::new();
        servers.spawn(services.serve(answering));
        servers.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self {
            page: place.api,
            services: place.services,
            faults,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _servers: servers,
        })
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.page));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned()))?;
        Ok(self.client.request(request).await?)
    }

    pub async fn get(&self, path: &str) -> Result<(StatusCode, HeaderMap, String)> {
        read(self.send(Method::GET, path, &[], "").await?).await
    }

    /// Sends a form as its page does.
    pub async fn post(&self, path: &str, form: &str) -> Result<(StatusCode, HeaderMap, String)> {
        let own = [("origin", self.page.as_str())];
        read(self.send(Method::POST, path, &own, form).await?).await
    }

    /// Calls SQS or DynamoDB as a function would.
    pub async fn call(&self, target: &str, body: &Value) -> Result<()> {
        let request = signed(&self.services, "IngestFunction", target, body)?;
        let (status, _, answer) = read(self.client.request(request).await?).await?;
        ensure!(status == StatusCode::OK, "{target}: {answer}");
        Ok(())
    }

    /// Puts a message on a queue, as `ingest` does.
    pub async fn order(&self, queue: &str, id: &str) -> Result<()> {
        let order = json!({"id": id, "order": {"reference": HOSTILE}}).to_string();
        let message = json!({"QueueUrl": url(&self.services, queue), "MessageBody": order});
        self.call("AmazonSQS.SendMessage", &message).await
    }

    pub async fn put(&self, table: &str, item: Value) -> Result<()> {
        let put = json!({"TableName": table, "Item": item});
        self.call("DynamoDB_20120810.PutItem", &put).await
    }
}

async fn read(response: Response<Incoming>) -> Result<(StatusCode, HeaderMap, String)> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok((head.status, head.headers, String::from_utf8(body.to_vec())?))
}
