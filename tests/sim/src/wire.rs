//! The wire between the SDK's clients and the models: HTTP, as far as a client sees it.

use crate::{
    answer::Answer,
    bus::Bus,
    case::{Fault, OutageKind},
    queue::Queue,
    request,
    table::Tables,
    trace::Trace,
};
use aws_sdk_sqs::config::{
    Credentials, Region, SharedCredentialsProvider,
    retry::{RetryPartition, TokenBucket},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
};
use aws_types::SdkConfig;
use serde_json::{Value, json};
use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// How long an answer takes that needs no write.
const TURN: Duration = Duration::from_millis(3);

/// The services, and the network to them.
#[derive(Debug, Clone)]
pub struct Wire {
    tables: Arc<Mutex<Tables>>,
    queue: Arc<Mutex<Queue>>,
    bus: Arc<Mutex<Bus>>,
    latency: Duration,
    pub trace: Trace,
}

impl Wire {
    /// Connects these services.
    pub fn new(tables: Tables, queue: Queue, latency: Duration, trace: Trace) -> Self {
        Self {
            tables: Arc::new(Mutex::new(tables)),
            queue: Arc::new(Mutex::new(queue)),
            bus: Arc::default(),
            latency,
            trace,
        }
    }

    /// The tables.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue.
    pub fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event bus.
    pub fn bus(&self) -> MutexGuard<'_, Bus> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Configures a worker's clients as [`process::config::aws`] does, except for the connector.
    pub fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(function::aws::behavior_version())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "key", "secret", None, None, "sim",
            )))
            .timeout_config(process::config::timeouts())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    async fn serve(self, operation: String, body: Vec<u8>) -> Answer {
        match operation.as_str() {
            "TransactWriteItems" => self.transact(&body).await,
            "PutItem" => self.put(&body).await,
            "PutEvents" => self.put_events(&body).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility(&body).await,
            other => panic!("the model doesn't know {other}"),
        }
    }

    /// Waits until the call arrives. Returns whether it does, and whether it is answered.
    async fn arrive(&self) -> (bool, bool) {
        let (hung, late) = {
            let tables = self.tables();
            let silent = tables.is_out(OutageKind::Silent);
            (
                silent || tables.strikes(Fault::Hung),
                tables.strikes(Fault::Late),
            )
        };
        if hung {
            return (false, false);
        }
        if late {
            sleep(Duration::from_secs(20).mul_f64(fastrand::f64())).await;
            return (true, false);
        }
        sleep(TURN).await;
        (true, true)
    }

    /// Answers a write, unless the answer is lost.
    async fn answer(&self, answered: bool) -> Answer {
        let (cut, slow) = {
            let tables = self.tables();
            (tables.strikes(Fault::CutOff), tables.strikes(Fault::Slow))
        };
        if slow {
            sleep(Duration::from_secs(3).mul_f64(fastrand::f64())).await;
        }
        match (answered, cut) {
            (false, _) => Answer::Never,
            (true, true) => Answer::Cut,
            (true, false) => Answer::Ok(json!({})),
        }
    }

    async fn put_events(&self, body: &[u8]) -> Answer {
        if self.tables().is_out(OutageKind::BusSilent) {
            return Answer::Never;
        }
        let (arrives, answered) = self.arrive().await;
        if !arrives {
            return Answer::Never;
        }
        let result = self.bus().put(body, &self.tables());
        self.trace.say(|| format!("bus: {result:?}"));
        match self.answer(answered).await {
            Answer::Ok(_) => result,
            lost => lost,
        }
    }

    async fn transact(&self, body: &[u8]) -> Answer {
        let actions = request::transaction(body);
        let (arrives, answered) = self.arrive().await;
        if !arrives {
            return Answer::Never;
        }
        let begun = self.tables().begin(actions, &self.trace);
        match begun {
            Ok(held) => {
                sleep(self.latency.saturating_sub(TURN)).await;
                self.tables().write(held, &self.trace);
                self.answer(answered).await
            }
            Err(refusal) if answered => refusal,
            Err(_) => Answer::Never,
        }
    }

    async fn put(&self, body: &[u8]) -> Answer {
        let row = request::put_item(body);
        let (arrives, answered) = self.arrive().await;
        if !arrives {
            return Answer::Never;
        }
        let begun = self.tables().begin_put(row, &self.trace);
        match begun {
            Ok(held) => {
                sleep(self.latency.saturating_sub(TURN) / 2).await;
                self.tables().write(held, &self.trace);
                self.answer(answered).await
            }
            Err(refusal) if answered => refusal,
            Err(_) => Answer::Never,
        }
    }

    async fn change_visibility(&self, body: &[u8]) -> Answer {
        sleep(TURN).await;
        if self.tables().strikes(Fault::VisibilityRefused) {
            return Answer::error(500, "ServiceUnavailable");
        }
        let request: Value = serde_json::from_slice(body).expect("JSON");
        let entries = request["Entries"].as_array().expect("entries");
        assert!((1..=10).contains(&entries.len()), "{request}");
        for entry in entries {
            let handle = entry["ReceiptHandle"].as_str().expect("a handle");
            let seconds = entry["VisibilityTimeout"].as_u64().expect("a number");
            let until = Instant::now() + Duration::from_secs(seconds);
            self.trace
                .say(|| format!("queue: {handle} comes back after {seconds} s"));
            self.queue().hide(handle, until);
        }
        Answer::Ok(json!({"Successful": [], "Failed": []}))
    }
}

/// A retry partition that the client shares with no other run.
pub fn partition() -> RetryPartition {
    let bucket = TokenBucket::new(500);
    RetryPartition::custom("sim").token_bucket(bucket).build()
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let (service, (answer, answered)) = (self.clone(), oneshot::channel());
        HttpConnectorFuture::new(async move {
            // A request that was sent arrives even if its sender dies.
            tokio::spawn(async move {
                drop(answer.send(service.serve(operation, body).await));
            });
            match answered.await {
                Ok(Answer::Never) | Err(_) => pending().await,
                Ok(answer) => answer.response(),
            }
        })
    }
}
