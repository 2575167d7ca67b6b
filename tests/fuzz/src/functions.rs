//! The functions, wired as in their `main`, above services that exist only here.

use crate::{cloud::Cloud, logs::Logs, samples::SECRET};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use events::{Client, OrderIds, Secret};
use ingest::{
    acceptor::Acceptor,
    dispatch::dispatch,
    gateway::{Event, RoleClients},
    metrics::Metrics,
    polling::Polling,
    queue::OrderQueue,
    request,
    route::order_id,
    service,
    status::status,
    statuses::Statuses,
};
use lambda_http::{Body, Context, LambdaEvent, Request, Response, tower::ServiceExt};
use process::{
    bus::OutcomeBus,
    effects::Effects,
    processor::{NoMessageId, Processor},
    table::OrderTable,
    visibility::MessageVisibility,
};
use serde_json::Value;
use std::{cell::LazyCell, collections::BTreeMap, future::Future, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
    time::Instant,
};

/// The X-Ray header of every request.
pub const TRACE: &str = "Root=1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b";

/// The functions, one set per thread.
#[derive(Debug)]
pub struct Functions {
    /// The services that they call.
    pub cloud: Cloud,
    /// The ids that the functions issue and recognise.
    pub ids: OrderIds,
    acceptor: Acceptor,
    statuses: Statuses,
    processor: Processor,
    logs: Logs,
    runtime: Runtime,
}

thread_local! {
    static FUNCTIONS: LazyCell<Functions> = LazyCell::new(Functions::new);
}

/// Runs `what` with this thread's functions.
pub fn with<T>(what: impl FnOnce(&Functions) -> T) -> T {
    FUNCTIONS.with(|functions| what(functions))
}

/// Metrics that are discarded.
fn quiet() -> Metrics {
    Metrics::new("fuzz".to_owned(), "", |_| {})
}

impl Functions {
    fn new() -> Self {
        let cloud = Cloud::default();
        let config = cloud.config();
        let sqs = || aws_sdk_sqs::Client::new(&config);
        let dynamodb = || aws_sdk_dynamodb::Client::new(&config);
        let ids = OrderIds::new(Secret::new(SECRET).expect("long enough"), vec![]);
        let url = "https://sqs.test/orders";
        Self {
            acceptor: Acceptor::new(
                ids.clone(),
                OrderQueue::new(&sqs(), url.to_owned()),
                quiet(),
            ),
            statuses: Statuses {
                ids: ids.clone(),
                table: ingest::table::OrderTable::new(&dynamodb(), "orders".to_owned()),
                polling: Polling::default(),
                keep: None,
                worker_timeout: Duration::from_secs(150),
                metrics: quiet(),
            },
            processor: Processor {
                table: OrderTable::new(&dynamodb(), "orders".to_owned(), "articles".to_owned()),
                visibility: MessageVisibility::new(&sqs(), url.to_owned()),
                bus: Some(OutcomeBus::new(
                    &aws_sdk_eventbridge::Client::new(&config),
                    "outcomes".to_owned(),
                    "fuzz".to_owned(),
                )),
                max_receives: 10,
                retry_base: Duration::from_secs(5),
                visibility_timeout: Duration::from_secs(185),
                effects: Effects::REAL,
                metrics: |_| {},
            },
            ids,
            cloud,
            logs: Logs::new(),
            runtime: Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("a runtime"),
        }
    }

    /// Returns `ingest`'s view of an event, and its answer.
    pub fn ingest(&self, event: Event) -> (Asked, Answer) {
        self.invoke(event, |request| dispatch(&self.acceptor, request))
    }

    /// Returns `status`'s view of an event, and its answer.
    pub fn status(&self, event: Event) -> (Asked, Answer) {
        self.invoke(event, |request| status(&self.statuses, request))
    }

    /// Makes a handler answer an event through the gateway code. The client's key must not be in a log line.
    fn invoke<F>(&self, event: Event, mut handler: impl FnMut(Request) -> F) -> (Asked, Answer)
    where
        F: Future<Output = Response<Body>> + Send,
    {
        let mut context = Context::default();
        context.xray_trace_id = Some(TRACE.to_owned());
        let private = |(asked, _): &(Asked, Answer)| {
            let keys = asked.keys.iter().filter(|key| key.len() > 4);
            keys.cloned().collect()
        };
        self.logs.judge(private, || {
            let mut asked = None;
            let answer = {
                let service = service::service(RoleClients::Role, |request| {
                    asked = Some(Asked::by(&request));
                    handler(request)
                });
                let answer = service.oneshot(LambdaEvent::new(event, context));
                let Ok(answer) = self.runtime.block_on(async {
                    let answer = answer.await;
                    self.finish().await;
                    answer
                });
                serde_json::to_value(&answer).expect("an answer is JSON")
            };
            (asked.expect("the handler was called"), Answer::from(answer))
        })
    }

    /// Waits until background tasks end: the runtime would drop them when its thread ends, and the thread's logs may be gone.
    async fn finish(&self) {
        let metrics = self.runtime.metrics();
        while metrics.num_alive_tasks() > 0 {
            yield_now().await;
        }
    }

    /// Invokes `process`.
    pub fn process(&self, event: SqsEvent) -> Result<SqsBatchResponse, NoMessageId> {
        let answer = async {
            self.processor
                .handle(event, Instant::now() + Duration::from_secs(30))
                .await
        };
        self.logs
            .judge(|_| vec![], || self.runtime.block_on(answer))
    }
}

/// A request, as a handler reads it.
#[derive(Debug)]
pub struct Asked {
    /// The client that asks; `None` if the authorizer names no client.
    pub client: Option<Client>,
    /// Upper case, except for unknown methods.
    pub method: String,
    /// The id in `/orders/{id}`.
    pub id: String,
    /// The distinct idempotency keys.
    pub keys: Vec<String>,
    /// The decoded body; `None` for bad base64.
    pub body: Option<Vec<u8>>,
}

impl Asked {
    fn by(request: &Request) -> Self {
        Self {
            client: request::client(request).ok(),
            method: request.method().to_string(),
            id: order_id(request),
            keys: request::values(request, "idempotency-key"),
            body: request::body(request).map(<[u8]>::to_vec),
        }
    }
}

/// A function's answer to a gateway.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status_code: u64,
    /// Headers, each with one value.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

impl From<Value> for Answer {
    fn from(answer: Value) -> Self {
        assert_eq!(answer["isBase64Encoded"], false, "{answer}");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let of = |name: &str| answer[name].as_object().into_iter().flatten();
        // A REST API gets lists of values, the others one value.
        let many = of("multiValueHeaders").map(|(name, values)| (name, &values[0]));
        let headers = of("headers").chain(many);
        Self {
            status_code: answer["statusCode"].as_u64().expect("a status"),
            headers: headers
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: text(&answer["body"]),
        }
    }
}

/// Reads an event as the Lambda runtime does.
pub fn read(event: &Value) -> Event {
    serde_json::from_str(&event.to_string()).expect("an event")
}
