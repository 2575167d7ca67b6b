//! Sends orders when they are due, without waiting for earlier answers.

use super::{
    arrivals::Arrival,
    run::{Answer, Reply},
};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};

/// The client's time-out: one second more than API Gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls an API on behalf of the clients.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Option<String>,
}

impl Api {
    /// Calls the API at `url`, with the stage. Without a key each client has one of its own.
    pub fn new(url: &str, key: Option<String>) -> Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build(connector),
            url: url.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// Sends a request, and gives the answer's status and body.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        client: u32,
        body: Bytes,
    ) -> Result<(u16, Bytes)> {
        let own = || format!("load-{client}");
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .header("x-api-key", self.key.clone().unwrap_or_else(own))
            .body(Full::new(body))?;
        let answer = self.http.request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    async fn place(&self, arrival: Arrival) -> Reply {
        #[derive(Deserialize)]
        struct Placed {
            id: String,
        }
        let call = self.call(Method::POST, "/orders", arrival.client, arrival.body);
        match timeout(PATIENCE, call).await {
            Ok(Ok((200..300, body))) => match serde_json::from_slice::<Placed>(&body) {
                Ok(placed) => Reply::Accepted(placed.id),
                Err(_) => Reply::Nothing,
            },
            Ok(Ok((status, _))) => Reply::Refused(status),
            Ok(Err(_)) | Err(_) => Reply::Nothing,
        }
    }
}

/// Sends each order when it is due, counted from `start`, and waits for all answers. `progress` counts the answers.
pub async fn send(
    api: &Api,
    arrivals: &[Arrival],
    start: Instant,
    progress: &ProgressBar,
) -> Result<Vec<Answer>> {
    let (answered, mut answers) = mpsc::unbounded_channel();
    let (api, arrivals) = (Arc::new(api.clone()), arrivals.to_vec());
    let handle = Handle::current();
    // The clock has its own thread: Tokio's timers are up to a millisecond late, which would count as response time.
    let clock = thread::Builder::new()
        .name("arrivals".to_owned())
        .spawn(move || {
            for arrival in arrivals {
                thread::sleep((start + arrival.due).saturating_duration_since(Instant::now()));
                let (api, answered) = (api.clone(), answered.clone());
                handle.spawn(async move {
                    let due = arrival.due;
                    let reply = api.place(arrival).await;
                    let latency = (start + due).elapsed();
                    // The receiver is gone only when the whole run was given up.
                    drop(answered.send(Answer {
                        due,
                        latency,
                        reply,
                    }));
                });
            }
        });
    let clock = clock.context("no thread for the clock")?;
    let mut all = Vec::new();
    while let Some(answer) = answers.recv().await {
        all.push(answer);
        progress.set_position(all.len() as u64);
    }
    clock.join().map_err(|_| anyhow!("the clock panicked"))?;
    all.sort_by_key(|answer| answer.due);
    Ok(all)
}

/// A progress bar.
pub fn progress(name: &'static str, done: &'static str, all: usize) -> Result<ProgressBar> {
    let bar = ProgressBar::new(all as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg}: {bar:40} {pos} of {len}{prefix}, {elapsed}",
    )?);
    bar.set_message(name);
    bar.set_prefix(done);
    Ok(bar)
}
