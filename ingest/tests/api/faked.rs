//! Fakes AWS at HTTP, below a real SDK client; calls the functions above it; reads the samples to send.

use anyhow::{Context as _, Result};
use aws_sdk_sqs::config::{Credentials, HttpClient, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::{Builder, SdkConfig};
use events::{OrderIds, Secret};
use function::aws::behavior_version;
use ingest::{
    acceptor::Acceptor,
    dispatch::dispatch,
    gateway::{Event, RoleClients},
    metrics::Metrics,
    polling::Polling,
    queue::OrderQueue,
    service,
    status::status,
    statuses::Statuses,
    table::OrderTable,
};
use lambda_http::{Body, Context, LambdaEvent, Request, Response, tower::ServiceExt};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Formatter},
    fs,
    future::{Future, pending, ready},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The X-Ray header of every request.
pub const TRACE: &str = "Root=1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b";
/// The queue of every test.
pub const QUEUE: &str = "https://sqs.test/orders";

/// The time-out of a worker in every test.
pub const WORKER: Duration = Duration::from_secs(150);

/// Folder of the samples.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// Reads a sample.
pub fn sample(name: &str) -> Result<Value> {
    let text = fs::read_to_string(folder().join(format!("{name}.json")));
    Ok(serde_json::from_str(
        &text.with_context(|| name.to_owned())?,
    )?)
}

/// Returns the ids with the secret that signed the samples' ids.
pub fn ids() -> Result<OrderIds> {
    let secret = Secret::new("development-secret-not-for-production")?;
    Ok(OrderIds::new(secret, vec![]))
}

/// An AWS that answers each request by this function: with a status and a body. `null` is an empty body.
pub fn answering(
    answer: impl Fn(Value) -> (u16, Value) + Send + Sync + 'static,
) -> impl HttpClient + 'static {
    client(move |request| {
        let request = request.body().bytes().map(serde_json::from_slice);
        let (status, body) = answer(request.and_then(Result::ok).unwrap_or_default());
        let status = StatusCode::try_from(status).expect("a status");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        let headers = response.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    })
}

/// An AWS that never answers, and the count of its requests.
pub fn silent() -> (impl HttpClient + 'static, Arc<AtomicUsize>) {
    let calls = Arc::<AtomicUsize>::default();
    let counted = calls.clone();
    let client = client(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        HttpConnectorFuture::new(pending())
    });
    (client, calls)
}

fn client(
    answer: impl Fn(HttpRequest) -> HttpConnectorFuture + Send + Sync + 'static,
) -> impl HttpClient + 'static {
    let connector = SharedHttpConnector::new(Fake(answer));
    http_client_fn(move |_, _| connector.clone())
}

struct Fake<F>(F);

impl<F> Debug for Fake<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl<F: Fn(HttpRequest) -> HttpConnectorFuture + Send + Sync> HttpConnector for Fake<F> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        (self.0)(request)
    }
}

/// Configures the SDK with this HTTP client, in a region of its own: all clients of a region share a quota of retries.
pub fn config(client: impl HttpClient + 'static) -> Builder {
    static REGIONS: AtomicUsize = AtomicUsize::new(0);
    let region = format!("test-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
    let credentials = Credentials::new("a", "b", None, None, "test");
    SdkConfig::builder()
        .behavior_version(behavior_version())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
}

/// A function's answer, as a gateway gets it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// The whole answer as JSON.
    pub json: String,
}

impl Answer {
    /// Parses the body as JSON.
    pub fn document(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Passes an event through `gateway` to a handler, and returns the answer.
pub async fn invoke<F>(handler: impl FnMut(Request) -> F, event: Event) -> Result<Answer>
where
    F: Future<Output = Response<Body>> + Send,
{
    invoke_by(RoleClients::Role, handler, event).await
}

/// Does the same with this setting for sessions of a role.
pub async fn invoke_by<F>(
    of_role: RoleClients,
    handler: impl FnMut(Request) -> F,
    event: Event,
) -> Result<Answer>
where
    F: Future<Output = Response<Body>> + Send,
{
    let mut context = Context::default();
    context.xray_trace_id = Some(TRACE.to_owned());
    let service = service::service(of_role, handler);
    let Ok(answer) = service.oneshot(LambdaEvent::new(event, context)).await;
    let json = serde_json::to_string(&answer)?;
    let answer: Value = serde_json::from_str(&json)?;
    anyhow::ensure!(answer["isBase64Encoded"] == false, "{json}");
    // A REST API gets lists of values, the others single values.
    let of = |name: &str| answer[name].as_object().into_iter().flatten();
    let one = of("headers");
    let many = of("multiValueHeaders").map(|(name, values)| (name, &values[0]));
    let headers = one.chain(many).map(|(name, value)| {
        let value = value.as_str().context("a header is not a string")?;
        Ok((name.clone(), value.to_owned()))
    });
    Ok(Answer {
        status: answer["statusCode"]
            .as_u64()
            .context("no status")?
            .try_into()?,
        headers: headers.collect::<Result<_>>()?,
        body: answer["body"].as_str().context("no body")?.to_owned(),
        json,
    })
}

/// Returns an event as a handler sees it.
pub async fn request(event: Event) -> Result<Request> {
    request_by(RoleClients::Role, event).await
}

/// Does the same with this setting for sessions of a role.
pub async fn request_by(of_role: RoleClients, event: Event) -> Result<Request> {
    let mut seen = None;
    let handler = |request| {
        seen = Some(request);
        ready(Response::new(Body::from("{}")))
    };
    invoke_by(of_role, handler, event).await?;
    seen.context("no request")
}

/// A REST API's event with little more than these members.
pub fn rest(members: Value) -> Value {
    let mut event = json!({"httpMethod": "POST", "requestContext": {"httpMethod": "POST"}});
    merge(&mut event, members);
    event
}

/// An HTTP API's event with little more than these members.
pub fn http(members: Value) -> Value {
    let mut event = json!({"version": "2.0", "requestContext": {"http": {"method": "POST"}}});
    merge(&mut event, members);
    event
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Reads an event as the Lambda runtime does.
pub fn read(event: &Value) -> Result<Event, serde_json::Error> {
    serde_json::from_str(&event.to_string())
}

/// Returns the answer of the function `ingest` to an event, with this configuration of the SDK.
pub async fn ingest(event: &Value, config: &SdkConfig) -> Result<Answer> {
    accept(read(event)?, config).await
}

/// Returns the answer of the function `ingest` to a parsed event.
pub async fn accept(event: Event, config: &SdkConfig) -> Result<Answer> {
    let queue = OrderQueue::new(&aws_sdk_sqs::Client::new(config), QUEUE.to_owned());
    let acceptor = Acceptor::new(ids()?, queue, metrics());
    invoke(|request| dispatch(&acceptor, request), event).await
}

/// Returns the answer of the function `status` to an event, with this configuration of the SDK.
pub async fn ask(event: &Value, config: &SdkConfig) -> Result<Answer> {
    ask_by(event, &statuses(config)?).await
}

/// Returns statuses with this configuration of the SDK. No row expires.
pub fn statuses(config: &SdkConfig) -> Result<Statuses> {
    let table = OrderTable::new(&aws_sdk_dynamodb::Client::new(config), "orders".to_owned());
    Ok(Statuses {
        ids: ids()?,
        table,
        polling: Polling::default(),
        keep: None,
        worker_timeout: WORKER,
        metrics: metrics(),
    })
}

/// Does the same with these statuses.
pub async fn ask_by(event: &Value, statuses: &Statuses) -> Result<Answer> {
    invoke(|request| status(statuses, request), read(event)?).await
}

/// Metrics that are discarded.
pub fn metrics() -> Metrics {
    Metrics::new("test".to_owned(), "", |_| {})
}
