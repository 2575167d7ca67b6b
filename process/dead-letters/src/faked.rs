//! For tests: letters, and an AWS that is faked at HTTP, below the SDK.

mod operator;

use crate::{
    dead::Stack,
    queues::Queues,
    table::{OrdersTable, Row},
};
use anyhow::Result;
use aws_sdk_sqs::{
    config::{Credentials, Region, SharedCredentialsProvider, retry::RetryConfig},
    types::Message,
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use events::{Client, OrderIds, OrderPlaced, OrderRecord, Outcome, Secret, order::kit};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::{Instant, sleep};

pub use operator::{Text, operator};

/// A message with this id and this body.
pub fn message(id: &str, body: &str) -> Message {
    let message = Message::builder().message_id(id).body(body);
    message.receipt_handle(format!("handle of {id}")).build()
}

/// The order with this number, which claims this much, placed by ann.
pub fn order(number: u8, amount: u64) -> Result<OrderPlaced> {
    let order = kit::order_of(&[("cup", amount)]);
    let ids = OrderIds::new(Secret::new("s".repeat(32))?, vec![]);
    let client = Client::identified("ann");
    let id = ids.fresh(&client, [number; 12]);
    Ok(OrderPlaced::new(
        id,
        client,
        "2026-11-22T09:00:00Z".parse()?,
        order,
    ))
}

/// The order's row with this outcome.
pub fn record(placed: &OrderPlaced, outcome: Outcome) -> Row {
    let record = OrderRecord::new(placed.clone(), outcome, placed.placed_at());
    Row::Record(Box::new(record))
}

/// An answer that replaces the fake's own: the HTTP status and the body.
pub type Answer = (u16, Value);
type Interference = dyn Fn(&str, &Value) -> Option<Answer> + Send;

/// The state of the fake.
#[derive(Default)]
pub struct Held {
    /// The dead letters: id, body, system attributes.
    pub letters: Vec<(String, String, Value)>,
    /// The ids of letters that a reader has received, and when they become visible again.
    pub hidden: BTreeMap<String, Instant>,
    /// How long each receive takes.
    pub receive_takes: Duration,
    /// The entries that were sent to the queue of orders.
    pub sent: Vec<Value>,
    /// The calls, in sequence.
    pub calls: Vec<String>,
    /// Whether what is sent becomes a dead letter at once, under its new id.
    pub comes_back: bool,
    rows: BTreeMap<String, Value>,
    interference: Option<Box<Interference>>,
}

impl Held {
    /// Returns the ids of the letters.
    pub fn ids(&self) -> Vec<&str> {
        self.letters.iter().map(|(id, ..)| &**id).collect()
    }

    /// Returns the bodies that were sent.
    pub fn bodies(&self) -> Vec<&str> {
        self.sent
            .iter()
            .filter_map(|entry| entry["MessageBody"].as_str())
            .collect()
    }

    fn answer(&mut self, call: &str, request: &Value) -> Value {
        let entries = || request["Entries"].as_array().into_iter().flatten();
        let named = |entry: &Value| {
            let handle = entry["ReceiptHandle"].as_str().unwrap_or_default();
            handle.replacen("handle of ", "", 1)
        };
        let done = json!({
            "Successful": entries().map(|entry| json!({"Id": entry["Id"]})).collect::<Value>(),
            "Failed": [],
        });
        match call {
            "GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": (self.letters.len() - self.hidden.len()).to_string(),
                "ApproximateNumberOfMessagesNotVisible": self.hidden.len().to_string(),
                "MessageRetentionPeriod": "1209600",
            }}),
            "ReceiveMessage" => {
                let seconds = request["VisibilityTimeout"].as_u64().unwrap_or_default();
                let now = Instant::now();
                self.hidden.retain(|_, until| *until > now);
                let visible = self
                    .letters
                    .iter()
                    .filter(|(id, ..)| !self.hidden.contains_key(id));
                let received: Vec<_> = visible.take(10).cloned().collect();
                let until = now + Duration::from_secs(seconds);
                self.hidden
                    .extend(received.iter().map(|(id, ..)| (id.clone(), until)));
                let message = |(id, body, attributes): &(String, String, Value)| {
                    let handle = format!("handle of {id}");
                    json!({"MessageId": id, "ReceiptHandle": handle, "Body": body, "Attributes": attributes})
                };
                json!({"Messages": received.iter().map(message).collect::<Value>()})
            }
            "SendMessageBatch" => {
                let mut successful = Vec::new();
                for entry in entries() {
                    let id = format!("sent {}", self.sent.len());
                    successful
                        .push(json!({"Id": entry["Id"], "MessageId": id, "MD5OfMessageBody": ""}));
                    if self.comes_back {
                        let body = entry["MessageBody"].as_str().unwrap_or_default();
                        self.letters.push((id, body.to_owned(), json!({})));
                    }
                    self.sent.push(entry.clone());
                }
                json!({"Successful": successful, "Failed": []})
            }
            "DeleteMessageBatch" => {
                for entry in entries() {
                    self.letters.retain(|(id, ..)| *id != named(entry));
                    self.hidden.remove(&named(entry));
                }
                done
            }
            "ChangeMessageVisibilityBatch" => {
                for entry in entries() {
                    assert_eq!(entry["VisibilityTimeout"], 0);
                    self.hidden.remove(&named(entry));
                }
                done
            }
            "GetItem" => {
                let id = request["Key"]["id"]["S"].as_str().unwrap_or_default();
                self.rows
                    .get(id)
                    .map_or(json!({}), |row| json!({"Item": row}))
            }
            other => panic!("{other} is not expected"),
        }
    }
}

/// A stack whose services are faked.
#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<Held>>);

impl Debug for Fake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    /// Returns the current state.
    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().expect("no panic in here")
    }

    /// Puts a message on the dead-letter queue.
    pub fn bury(&self, id: &str, body: &str, attributes: Value) {
        self.held()
            .letters
            .push((id.to_owned(), body.to_owned(), attributes));
    }

    /// Writes the order's row, with this outcome.
    pub fn settle(&self, placed: &OrderPlaced, outcome: Outcome) -> Result<()> {
        let record = OrderRecord::new(placed.clone(), outcome, placed.placed_at());
        let row = attribute(&serde_json::to_value(record)?)["M"].clone();
        self.held().rows.insert(placed.id().to_string(), row);
        Ok(())
    }

    /// Lets `interference` answer calls. Calls for which it returns None are answered by the fake.
    pub fn interfere(
        &self,
        interference: impl Fn(&str, &Value) -> Option<Answer> + Send + 'static,
    ) {
        self.held().interference = Some(Box::new(interference));
    }

    /// Returns the stack.
    pub fn stack(&self) -> Stack {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("key", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(function::aws::behavior_version())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let sqs = aws_sdk_sqs::Client::new(&config);
        Stack {
            queues: Queues::new(sqs, "https://d".to_owned(), "https://q".to_owned()),
            table: OrdersTable::new(&aws_sdk_dynamodb::Client::new(&config), "orders".to_owned()),
        }
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().expect("a body in memory");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let target = request.headers().get("x-amz-target").expect("a target");
        let (_, call) = target.split_once('.').expect("a service and a call");
        let mut held = self.held();
        held.calls.push(call.to_owned());
        let other = held
            .interference
            .as_ref()
            .and_then(|interfere| interfere(call, &body));
        let (status, answer) = other.unwrap_or_else(|| (200, held.answer(call, &body)));
        let status = StatusCode::try_from(status).expect("a status");
        // `null` is an empty body.
        let body = Some(answer).filter(|answer| !answer.is_null());
        let body = body.map(|answer| answer.to_string()).unwrap_or_default();
        let response = HttpResponse::new(status, SdkBody::from(body));
        if call == "ReceiveMessage" && !held.receive_takes.is_zero() {
            let answered = sleep(held.receive_takes);
            return HttpConnectorFuture::new(async {
                answered.await;
                Ok(response)
            });
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Converts a value from DynamoDB's JSON.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(value) => json!({"N": value.to_string()}),
        Value::String(value) => json!({"S": value}),
        Value::Array(values) => json!({"L": values.iter().map(attribute).collect::<Value>()}),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), attribute(value)));
            json!({"M": fields.collect::<Map<_, _>>()})
        }
    }
}

/// An answer that refuses a whole call.
pub fn refused(code: &str) -> Answer {
    (400, json!({"__type": code, "message": "no"}))
}
