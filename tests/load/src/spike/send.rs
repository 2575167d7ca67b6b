//! Sends orders when they are due, without waiting for earlier answers.

use super::{
    arrivals::Arrival,
    run::{Answer, Followed, Reply},
};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http::{
    Method, Request, Response,
    header::{LOCATION, RETRY_AFTER},
};
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
use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{sleep, timeout},
};

/// The client's time-out: one second longer than API Gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls an API on behalf of the clients.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Option<String>,
}

impl Api {
    /// Connects to the API at `url`, with the stage. Without a key each client uses its own.
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

    /// Sends a request, and returns the answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        client: u32,
        body: Bytes,
    ) -> Result<Response<Bytes>> {
        let own = || format!("load-{client}");
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .header("x-api-key", self.key.clone().unwrap_or_else(own))
            .body(Full::new(body))?;
        let (head, body) = self.http.request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Places an order; returns the answer, and when and where to poll while the order has no outcome.
    async fn place(&self, arrival: Arrival) -> (Reply, Option<Poll>) {
        #[derive(Deserialize)]
        struct Placed {
            id: String,
        }
        let call = self.call(Method::POST, "/orders", arrival.client, arrival.body);
        let Ok(Ok(answer)) = timeout(PATIENCE, call).await else {
            return (Reply::Nothing, None);
        };
        if !answer.status().is_success() {
            return (Reply::Refused(answer.status().as_u16()), None);
        }
        match serde_json::from_slice::<Placed>(answer.body()) {
            Ok(placed) => (Reply::Accepted(placed.id), Poll::of(&answer)),
            Err(_) => (Reply::Nothing, None),
        }
    }

    /// Polls for an outcome, honouring `Retry-After`, until it is known. The times of the requests are counted from `start`.
    async fn follow(&self, client: u32, mut poll: Poll, start: Instant) -> Followed {
        let mut followed = Followed::default();
        loop {
            sleep(poll.wait).await;
            followed.asked.push(start.elapsed());
            let call = self.call(Method::GET, &poll.path, client, Bytes::new());
            let answer = timeout(PATIENCE, call).await.map_err(anyhow::Error::from);
            let answer = answer.flatten().ok();
            let Some(answer) = answer.filter(|answer| answer.status().is_success()) else {
                followed.failed += 1; // Retried after the previous wait.
                continue;
            };
            let Some(wait) = wait(&answer) else {
                followed.known = Some(start.elapsed());
                return followed;
            };
            poll.wait = wait;
        }
    }
}

/// When and where to poll for an outcome.
#[derive(Debug)]
struct Poll {
    wait: Duration,
    path: String,
}

impl Poll {
    fn of(answer: &Response<Bytes>) -> Option<Self> {
        let location = answer.headers().get(LOCATION)?.to_str().ok()?;
        Some(Self {
            wait: wait(answer)?,
            path: format!("/{location}"),
        })
    }
}

/// Returns the `Retry-After` of an answer; `None` if there is an outcome.
fn wait(answer: &Response<Bytes>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

/// Sends each order when it is due, counted from `start`, and waits for all answers. `progress` counts the answers. With
/// `polls` each client honours `Retry-After`; its polls arrive later, by the id of its order, on the returned channel.
pub async fn send(
    api: &Api,
    arrivals: &[Arrival],
    start: Instant,
    polls: bool,
    progress: &ProgressBar,
) -> Result<(Vec<Answer>, mpsc::UnboundedReceiver<(String, Followed)>)> {
    let (answered, mut answers) = mpsc::unbounded_channel();
    let (ended, follows) = mpsc::unbounded_channel();
    let (api, arrivals) = (Arc::new(api.clone()), arrivals.to_vec());
    let handle = Handle::current();
    // The clock has its own thread: Tokio's timers are up to a millisecond late, which would count as response time.
    let clock = thread::Builder::new()
        .name("arrivals".to_owned())
        .spawn(move || {
            for arrival in arrivals {
                thread::sleep((start + arrival.due).saturating_duration_since(Instant::now()));
                let (api, answered, ended) = (api.clone(), answered.clone(), ended.clone());
                handle.spawn(async move {
                    let (due, client) = (arrival.due, arrival.client);
                    let (reply, poll) = api.place(arrival).await;
                    let latency = (start + due).elapsed();
                    let id = match &reply {
                        Reply::Accepted(id) => Some(id.clone()),
                        _ => None,
                    };
                    // The receiver is gone only if the whole run was aborted.
                    drop(answered.send(Answer {
                        due,
                        latency,
                        reply,
                    }));
                    drop(answered); // The answers must end before the polls do.
                    if let (true, Some(id), Some(poll)) = (polls, id, poll) {
                        drop(ended.send((id, api.follow(client, poll, start).await)));
                    }
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
    Ok((all, follows))
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
