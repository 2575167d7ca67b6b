//! SQS, DynamoDB and EventBridge as an SDK client sees them. They check requests against their documented limits: what the
//! real services would refuse fails the run, or is refused where a function must cope with that.

use aws_sdk_sqs::config::{Credentials, Region, SharedCredentialsProvider, retry::RetryConfig};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use events::{OutcomeEvent, order::kit};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    mem::take,
    sync::{Arc, Mutex},
};

/// The maximum size of a message on OrdersQueue, from the template.
const LONGEST_MESSAGE: usize = 256 * 1024;
/// The maximum size of a call's messages.
const LARGEST_BATCH: usize = 1 << 20;
/// The maximum sizes of a row and of a transaction.
const LARGEST_ROW: usize = 400 * 1024;
const LARGEST_TRANSACTION: usize = 4 << 20;

/// The maximum size of a call's events, where the limit hasn't been raised.
const LARGEST_EVENTS: usize = 256 * 1024;

/// The services, and the requests that they got.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    row: Arc<Mutex<Option<Value>>>,
    refusal: Arc<Mutex<Option<Value>>>,
}

/// The secret access key that signs calls.
pub const SECRET_ACCESS_KEY: &str = "secret-access-key-of-the-tests";

impl Cloud {
    /// Configures a client of these services.
    pub fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("key", SECRET_ACCESS_KEY, None, None, "test");
        SdkConfig::builder()
            .behavior_version(function::aws::behavior_version())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// The row that DynamoDB finds.
    pub fn row(&self) -> Option<Value> {
        self.row.lock().expect("no panic in here").clone()
    }

    /// Sets the row that DynamoDB finds from now on; `None`: no row.
    pub fn set_row(&self, row: Option<Value>) {
        *self.row.lock().expect("no panic in here") = row;
    }

    /// Refuses every call from now on with this error; `None`: no call.
    pub fn set_refusal(&self, error: Option<Value>) {
        *self.refusal.lock().expect("no panic in here") = error;
    }

    /// Returns the calls since the last time that weren't refused: each operation and its request.
    pub fn calls(&self) -> Vec<(String, Value)> {
        take(&mut *self.calls.lock().expect("no panic in here"))
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        let target = request.headers().get("x-amz-target").expect("a target");
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let bytes = request.body().bytes().expect("a body in memory");
        let body: Value = serde_json::from_slice(bytes).expect("requests are JSON");
        if let Some(error) = &*self.refusal.lock().expect("no panic in here") {
            return (400, error.clone());
        }
        let answer = match operation.as_str() {
            "SendMessage" => {
                send_message(&body);
                (200, json!({"MessageId": "1"}))
            }
            "SendMessageBatch" => (200, send_batch(&body)),
            "ChangeMessageVisibilityBatch" => {
                change_visibility(&body);
                (200, json!({"Successful": [], "Failed": []}))
            }
            "GetItem" => match &*self.row.lock().expect("no panic in here") {
                Some(row) => (200, json!({"Item": row})),
                None => (200, json!({})),
            },
            // Not recorded: the calls of a request do not include it.
            "PutEvents" => return (200, put_events(&body)),
            "PutItem" => write(&[&body["Item"]], bytes.len()),
            "TransactWriteItems" => transact(&body, bytes.len()),
            other => panic!("{other} is not expected"),
        };
        if answer.0 == 200 {
            let mut calls = self.calls.lock().expect("no panic in here");
            calls.push((operation, body));
        }
        answer
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answer(&request);
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
        let headers = response.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn send_message(request: &Value) {
    let body = request["MessageBody"].as_str().expect("a body");
    assert!(
        body.len() <= LONGEST_MESSAGE,
        "a message of {} bytes",
        body.len()
    );
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(
        body.chars().all(allowed),
        "SQS refuses a character of {body:?}"
    );
    let group = request["MessageGroupId"].as_str().expect("a group");
    assert!(
        (1..=128).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{group}"
    );
}

fn put_events(request: &Value) -> Value {
    let entries = request["Entries"].as_array().expect("entries");
    assert!(
        (1..=10).contains(&entries.len()),
        "{} events",
        entries.len()
    );
    let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
    let mut bytes = 0;
    for entry in entries {
        let detail = text(entry, "Detail");
        bytes += detail.len() + text(entry, "Source").len() + text(entry, "DetailType").len();
        let event: OutcomeEvent = serde_json::from_str(&detail).expect("an outcome");
        assert_eq!(entry["DetailType"], event.detail_type());
    }
    assert!(
        bytes <= LARGEST_EVENTS || entries.len() == 1,
        "{bytes} bytes"
    );
    let results = vec![json!({"EventId": "1"}); entries.len()];
    json!({"FailedEntryCount": 0, "Entries": results})
}

fn send_batch(request: &Value) -> Value {
    let entries = entries(request);
    entries.iter().for_each(send_message);
    let bytes = |entry: &Value| entry["MessageBody"].as_str().map_or(0, str::len);
    assert!(entries.iter().map(bytes).sum::<usize>() <= LARGEST_BATCH);
    let stored =
        |entry: &Value| json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "-"});
    json!({"Successful": entries.iter().map(stored).collect::<Value>(), "Failed": []})
}

/// The messages of a batch: one to ten, each with its own id.
fn entries(request: &Value) -> &[Value] {
    let entries = request["Entries"].as_array().expect("entries");
    let ids: BTreeSet<_> = entries
        .iter()
        .map(|entry| entry["Id"].to_string())
        .collect();
    assert!(
        (1..=10).contains(&entries.len()) && ids.len() == entries.len(),
        "{request}"
    );
    entries
}

fn change_visibility(request: &Value) {
    let entries = entries(request);
    let seconds = |entry: &Value| entry["VisibilityTimeout"].as_u64();
    assert!(
        entries
            .iter()
            .all(|entry| seconds(entry).is_some_and(|seconds| seconds <= 43_200)),
        "{request}"
    );
}

fn transact(request: &Value, bytes: usize) -> (u16, Value) {
    let actions = request["TransactItems"].as_array().expect("actions");
    let claimed = |action: &Value| kit::key_of(&action["Update"]["Key"]).map(str::to_owned);
    let key = |action: &Value| {
        claimed(action).or(action["Put"]["Item"]["id"]["S"].as_str().map(str::to_owned))
    };
    let items: BTreeSet<_> = actions
        .iter()
        .map(|action| key(action).expect("a key"))
        .collect();
    assert!(
        (1..=100).contains(&actions.len()),
        "{} actions",
        actions.len()
    );
    assert_eq!(items.len(), actions.len(), "an item twice: {request}");
    let bad_key = actions
        .iter()
        .filter_map(claimed)
        .any(|key| !(1..=2048).contains(&key.len()));
    let rows: Vec<_> = actions
        .iter()
        .map(|action| &action["Put"]["Item"])
        .collect();
    if bad_key {
        invalid()
    } else {
        write(&rows, bytes)
    }
}

fn write(rows: &[&Value], bytes: usize) -> (u16, Value) {
    let too_large = |row: &&Value| row.to_string().len() > LARGEST_ROW;
    if bytes > LARGEST_TRANSACTION || rows.iter().any(too_large) {
        invalid()
    } else {
        (200, json!({}))
    }
}

fn invalid() -> (u16, Value) {
    (
        400,
        json!({"__type": "com.amazon.coral.validate#ValidationException", "message": "it is refused"}),
    )
}
