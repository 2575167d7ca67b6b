//! The queues, the tables and the functions behind the API.

mod dead_letters;

use crate::names::Names;
use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use aws_sdk_eventbridge::Client as EventBridge;
use aws_sdk_lambda::{
    Client as Lambda, error::ProvideErrorMetadata, primitives::Blob, types::InvocationType,
};
use aws_sdk_sqs::{
    Client as Sqs,
    config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
    types::QueueAttributeName,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_types::SdkConfig;
use events::{OrderId, OrderRecord, Outcome, order::kit};
use serde::Deserialize;
use serde_dynamo::Item;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    env,
};

/// Clients of the services.
pub struct Aws {
    pub names: Names,
    pub sqs: Sqs,
    pub dynamodb: DynamoDb,
    pub eventbridge: EventBridge,
    lambda: Lambda,
}

impl Aws {
    /// Reads region, credentials and endpoint from AWS's own variables.
    pub fn from_env(names: Names) -> Result<Self> {
        let variable = |name| env::var(name).with_context(|| format!("{name} is missing"));
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID")?,
            variable("AWS_SECRET_ACCESS_KEY")?,
            env::var("AWS_SESSION_TOKEN").ok(),
            None,
            "environment",
        );
        Ok(Self::new(
            names,
            credentials,
            variable("AWS_REGION")?,
            env::var("AWS_ENDPOINT_URL").ok(),
        ))
    }

    /// Clients of a `local`.
    pub fn local(endpoint: &str, names: Names) -> Self {
        let credentials = Credentials::new("e2e", "e2e", None, None, "e2e");
        let region = local::template::model::REGION.to_owned();
        Self::new(names, credentials, region, Some(endpoint.to_owned()))
    }

    fn new(
        names: Names,
        credentials: Credentials,
        region: String,
        endpoint: Option<String>,
    ) -> Self {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(
                Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build_https(),
            );
        config.set_endpoint_url(endpoint);
        let config = config.build();
        Self {
            names,
            sqs: Sqs::new(&config),
            dynamodb: DynamoDb::new(&config),
            eventbridge: EventBridge::new(&config),
            lambda: Lambda::new(&config),
        }
    }

    /// Sets what is left of a key, as an operator does.
    pub async fn put_stock(&self, key: &str, left: u64) -> Result<()> {
        self.put_row(&kit::row_of(key, left)).await
    }

    /// Writes a key's row, good or bad.
    pub async fn put_row(&self, row: &Value) -> Result<()> {
        let put = self.dynamodb.put_item().table_name(&self.names.articles);
        put.set_item(Some(item(row)?)).send().await?;
        Ok(())
    }

    /// Returns what is left of a key.
    pub async fn in_stock(&self, key: &str) -> Result<u64> {
        let get = self.dynamodb.get_item().table_name(&self.names.articles);
        let get = get.set_key(Some(item(&kit::request_of(key))?));
        let row = get.consistent_read(true).send().await?.item;
        let row = json!(Item::from(row.context("the key has no row")?));
        Ok(kit::left_in(&row).context("no number")?.try_into()?)
    }

    /// Returns the outcome in an order's row, which must exist.
    pub async fn outcome(&self, id: OrderId) -> Result<Outcome> {
        let record = self.record(&id.to_string()).await?;
        Ok(record.context("the order has no row")?.outcome)
    }

    /// An order's row.
    pub async fn record(&self, id: &str) -> Result<Option<OrderRecord>> {
        let get = self
            .dynamodb
            .get_item()
            .table_name(&self.names.orders)
            .consistent_read(true);
        let row = get
            .key("id", AttributeValue::S(id.to_owned()))
            .send()
            .await?
            .item;
        Ok(row.map(serde_dynamo::from_item).transpose()?)
    }

    /// Returns what is left of each key.
    pub async fn stock(&self) -> Result<BTreeMap<String, i64>> {
        let scan = self.dynamodb.scan().table_name(&self.names.articles);
        let mut rows = scan.consistent_read(true).into_paginator().items().send();
        let mut stock = BTreeMap::new();
        while let Some(row) = rows.try_next().await? {
            let row = json!(Item::from(row));
            let (key, left) = kit::key_of(&row)
                .zip(kit::left_in(&row))
                .context("a row without a key or a number")?;
            stock.insert(key.to_owned(), left);
        }
        Ok(stock)
    }

    /// Returns how much of each key the confirmed orders have taken.
    pub async fn confirmed_claims(&self) -> Result<BTreeMap<String, u64>> {
        let mut taken = BTreeMap::new();
        for record in self.records().await? {
            if record.outcome == Outcome::Confirmed {
                for (key, amount) in record.order.claims() {
                    *taken.entry(key.to_owned()).or_default() += amount;
                }
            }
        }
        Ok(taken)
    }

    /// Every order's row.
    pub async fn records(&self) -> Result<Vec<OrderRecord>> {
        let scan = self.dynamodb.scan().table_name(&self.names.orders);
        let mut rows = scan.consistent_read(true).into_paginator().items().send();
        let mut records = Vec::new();
        while let Some(row) = rows.try_next().await? {
            records.push(serde_dynamo::from_item(row)?);
        }
        Ok(records)
    }

    /// Puts a message on the queue.
    pub async fn send(&self, body: &str) -> Result<()> {
        self.sqs
            .send_message()
            .queue_url(&self.names.queue)
            .message_body(body)
            .send()
            .await?;
        Ok(())
    }

    /// Counts the messages on a queue, in flight or not.
    pub async fn depth(&self, queue: &str) -> Result<u64> {
        let counters = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let get = self.sqs.get_queue_attributes().queue_url(queue);
        let got = get
            .set_attribute_names(Some(counters.to_vec()))
            .send()
            .await?;
        let counts = got.attributes.unwrap_or_default();
        counters
            .iter()
            .map(|counter| Ok(counts.get(counter).context("no count")?.parse::<u64>()?))
            .sum()
    }

    /// A queue's ARN.
    pub async fn queue_arn(&self, queue: &str) -> Result<String> {
        let get = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue)
            .attribute_names(QueueAttributeName::QueueArn);
        let attributes = get.send().await?.attributes.unwrap_or_default();
        attributes
            .get(&QueueAttributeName::QueueArn)
            .cloned()
            .context("no ARN")
    }

    /// Invokes a function and returns its answer, which must not be an error.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let invoke = self
            .lambda
            .invoke()
            .function_name(function)
            .payload(Blob::new(event.to_string()));
        let answer = invoke.send().await?;
        let payload = answer.payload.unwrap_or_else(|| Blob::new(""));
        let payload = String::from_utf8_lossy(payload.as_ref());
        ensure!(
            answer.function_error.is_none(),
            "{function} failed: {payload}"
        );
        serde_json::from_str(&payload).with_context(|| format!("{function} answered {payload}"))
    }

    /// Returns the code and the message of an invocation that is refused for its payload.
    pub async fn refused_invocation(
        &self,
        function: &str,
        payload: &str,
    ) -> Result<(String, String)> {
        let invoke = self.lambda.invoke().function_name(function);
        let answer = invoke.payload(Blob::new(payload)).send().await;
        let error = answer.err().context("the invocation wasn't refused")?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok((text(error.code()), text(error.message())))
    }

    /// Makes a dry-run invocation, and returns the status.
    pub async fn invoke_dry(&self, function: &str, event: &Value) -> Result<i32> {
        let invoke = self.lambda.invoke().function_name(function);
        let invoke = invoke.invocation_type(InvocationType::DryRun);
        let answer = invoke.payload(Blob::new(event.to_string())).send().await?;
        ensure!(answer.function_error.is_none(), "{answer:?}");
        Ok(answer.status_code)
    }

    /// Invokes `process` with an SQS event, and returns the message ids that it reports as failed.
    pub async fn process(&self, event: &Value) -> Result<Vec<String>> {
        let answer = self.invoke(&self.names.process, event).await?;
        let failures = answer["batchItemFailures"]
            .as_array()
            .context("no batchItemFailures")?;
        let ids = failures
            .iter()
            .map(|failure| Some(failure["itemIdentifier"].as_str()?.to_owned()));
        ids.collect::<Option<_>>()
            .with_context(|| format!("{answer}"))
    }
}

/// Reads an item from DynamoDB's JSON.
fn item(json: &Value) -> Result<HashMap<String, AttributeValue>> {
    Ok(Item::deserialize(json)?.into())
}
