//! Tests the services' address: the routing of requests, and the faults on the way.

mod console;
mod event_bus;
mod hostile;
#[cfg(target_os = "linux")]
mod ports;
mod process;
mod protocols;
mod start;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::{
    callers::Callers,
    event_bus::EventBuses,
    faults::{Fault, Faults},
    lambda::Lambda,
    services::Services,
    sqs::{Sqs, url},
    tables::Tables,
    template::model::Queue,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

/// The services with a queue `q`, no table and no function.
struct Fixture {
    address: SocketAddr,
    sqs: Sqs,
    faults: Arc<Faults>,
    client: Client<HttpConnector, Full<Bytes>>,
    _servers: JoinSet<()>,
}

impl Fixture {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let sqs = Sqs::open(None, &format!("http://{address}"))?;
        sqs.create(&Queue {
            name: "q".to_owned(),
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_mins(10),
            delay: Duration::ZERO,
            maximum_message_size: 1 << 20,
            receive_wait: Duration::ZERO,
            redrive: None,
        })?;
        let faults = Arc::new(Faults::new(["F".to_owned()]));
        let lambda = Lambda::new(&BTreeMap::new(), &BTreeMap::new(), "", 1, false, &faults)?;
        let services = Services::new(
            sqs.clone(),
            EventBuses::new(sqs.clone()),
            Arc::new(lambda),
            faults.clone(),
            Tables::new(dynoxide::Database::memory()?)?,
            Callers::default(),
            Arc::default(),
        );
        let mut servers = JoinSet::new();
        servers.spawn(services.serve(listener));
        Ok(Self {
            address,
            sqs,
            faults,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _servers: servers,
        })
    }

    /// Makes a call signed by function `F`.
    async fn call(&self, target: &str, body: &Value) -> anyhow::Result<(u16, HeaderMap, Value)> {
        let address = format!("http://{}/", self.address);
        let request = signed(&address, "F", target, body)?;
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let body = serde_json::from_slice(&body)?;
        Ok((head.status.as_u16(), head.headers, body))
    }

    async fn send(&self) -> anyhow::Result<(u16, HeaderMap, Value)> {
        let queue = url(&format!("http://{}", self.address), "q");
        let message = json!({"QueueUrl": queue, "MessageBody": "hello"});
        self.call("AmazonSQS.SendMessage", &message).await
    }

    async fn received(&self, wait: Duration) -> anyhow::Result<usize> {
        Ok(self.sqs.receive("q", 10, wait).await?.len())
    }
}

/// A call in AWS's JSON protocol, signed as a function does.
fn signed(
    address: &str,
    function: &str,
    target: &str,
    body: &Value,
) -> hyper::http::Result<Request<Full<Bytes>>> {
    let credential = format!("Credential={function}/20260101/us-east-1/sqs/aws4_request");
    Request::post(address)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
        )
        .body(Full::from(body.to_string()))
}

#[tokio::test]
async fn a_call_reaches_its_service() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let (status, _, body) = fixture.send().await?;
    assert_eq!((status, body["MessageId"].is_string()), (200, true));
    let (status, _, body) = fixture
        .call("DynamoDB_20120810.ListTables", &json!({}))
        .await?;
    assert_eq!((status, body), (200, json!({"TableNames": []})));
    assert_eq!(fixture.faults.count("F", "SendMessage"), 1);
    assert_eq!(fixture.faults.count("F", "ListTables"), 1);
    Ok(())
}

#[tokio::test]
async fn an_unknown_function_is_not_found() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let uri = format!(
        "http://{}/2015-03-31/functions/G/invocations",
        fixture.address
    );
    let request = Request::post(uri).body(Full::default())?;
    let response = fixture.client.request(request).await?;
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "ResourceNotFoundException"
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_call_is_not_done() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let _rule = fixture.faults.add(|call| {
        assert_eq!(call.caller, "F");
        Some(match call.operation {
            "SendMessage" => Fault::refuse(503, "ServiceUnavailable", "no"),
            _ => Fault::Refuse {
                status: 400,
                code: "TransactionCanceledException".to_owned(),
                body: json!({"CancellationReasons": [{"Code": "None"}]}),
            },
        })
    });
    let (status, headers, body) = fixture.send().await?;
    assert_eq!(status, 503);
    assert_eq!(headers["x-amzn-query-error"], "ServiceUnavailable;Receiver");
    assert_eq!(
        body,
        json!({"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "no"})
    );
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);

    let (status, _, body) = fixture
        .call("DynamoDB_20120810.TransactWriteItems", &json!({}))
        .await?;
    assert_eq!(status, 400);
    assert_eq!(body["CancellationReasons"][0]["Code"], "None");
    Ok(())
}

#[tokio::test]
async fn a_partly_refused_batch_is_done_for_the_rest() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let queue = url(&format!("http://{}", fixture.address), "q");
    let check =
        async |refused: &[&str], code: Option<&'static str>, stored: &[&str], failed: &[&str]| {
            let refused: Vec<_> = refused.iter().map(|id| (*id).to_owned()).collect();
            let _rule = fixture.faults.add(move |_| {
                let entries = refused.clone();
                let code = code.map(str::to_owned);
                Some(Fault::Partial { entries, code })
            });
            let entry = |id| json!({"Id": id, "MessageBody": id});
            let entries = ["a", "b", "c"].map(entry);
            let batch = json!({"QueueUrl": queue, "Entries": entries});
            let (status, _, body) = fixture.call("AmazonSQS.SendMessageBatch", &batch).await?;
            assert_eq!(status, 200);
            let ids = |list: &str| {
                let entries = body[list].as_array().into_iter().flatten();
                entries.map(|entry| entry["Id"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(ids("Successful"), stored, "{body}");
            assert_eq!(ids("Failed"), failed, "{body}");
            assert_eq!(fixture.received(Duration::ZERO).await?, stored.len());
            anyhow::Ok(())
        };
    let code = Some("InternalError");
    check(&["b"], code, &["a", "c"], &["b"]).await?;
    check(&["a", "c"], None, &["b"], &[]).await?;
    check(&["a", "b", "c"], code, &[], &["a", "b", "c"]).await?;
    check(&["a", "b", "c"], None, &[], &[]).await
}

#[tokio::test]
async fn an_unanswered_call_is_done() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let _rule = fixture.faults.add(|_| Some(Fault::Unanswered));
    assert!(fixture.send().await.is_err());
    assert_eq!(fixture.received(Duration::ZERO).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_slow_call_is_done_before_its_answer() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let _rule = fixture
        .faults
        .add(|_| Some(Fault::Slow(Duration::from_secs(10))));
    let sent = timeout(Duration::from_millis(300), fixture.send()).await;
    assert!(sent.is_err());
    assert_eq!(fixture.received(Duration::ZERO).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_call_of_a_killed_process_is_done_or_not() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    for (fault, done) in [(Fault::KilledBefore, 0), (Fault::KilledAfter, 1)] {
        let _rule = fixture.faults.add(move |_| Some(fault.clone()));
        assert!(fixture.send().await.is_err());
        assert_eq!(fixture.received(Duration::ZERO).await?, done);
    }
    Ok(())
}

#[tokio::test]
async fn a_late_call_is_done_even_if_its_caller_gave_up() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let _rule = fixture
        .faults
        .add(|_| Some(Fault::Late(Duration::from_millis(300))));
    let sent = timeout(Duration::from_millis(100), fixture.send()).await;
    assert!(sent.is_err());
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    assert_eq!(fixture.received(Duration::from_secs(10)).await?, 1);
    Ok(())
}
