//! Runs a design under the spike, on a `local` of its own.

use super::{
    Options,
    arrivals::{Arrival, articles},
    reconciliation::Reconciliation,
    run::{Answer, Run},
    send::{Api, progress, send},
    table::{OPERATOR, Table},
};
use crate::machine::Watch;
use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};
use aws_sdk_sqs::{
    Client as Sqs,
    config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
    types::QueueAttributeName,
};
use aws_types::SdkConfig;
use bytes::Bytes;
use events::{OrderRecord, order::kit};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use indicatif::ProgressBar;
use local::{cloud::Cloud, options::Options as Local, template::model::REGION};
use serde::Deserialize;
use serde_dynamo::Item;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// The stock of each article: enough for every order.
const IN_STOCK: u64 = 1_000_000_000;

/// The limit on processes of a function in the synchronous design. When overrun, Lambda would run 1,000; this machine's memory
/// allows fewer.
const SYNCHRONOUS_PROCESSES: u16 = 256;

/// The run is aborted after this long without a write: longer than the queue hides a message.
const STALLED: Duration = Duration::from_mins(5);

/// An order's path into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Through the queue: `template.yaml`.
    Queue,
    /// Through the synchronous function, which writes before it answers: `tests/load/synchronous.yaml`.
    Synchronous,
}

impl Design {
    fn name(self) -> &'static str {
        match self {
            Self::Queue => "with the queue",
            Self::Synchronous => "synchronous",
        }
    }

    fn local(self, options: &Options) -> Local {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let local = Local {
            port: 0,
            quiet: true,
            release: !cfg!(debug_assertions),
            ..Local::default()
        };
        match self {
            Self::Queue => Local {
                template: Some(here.join("../../template.yaml")),
                parameter_overrides: vec![format!(
                    "MaximumConcurrency={}",
                    options.maximum_concurrency
                )],
                ..local
            },
            Self::Synchronous => Local {
                template: Some(here.join("synchronous.yaml")),
                processes: SYNCHRONOUS_PROCESSES,
                ..local
            },
        }
    }
}

/// Sends the spike, and waits until every accepted order is written.
pub async fn run(options: &Options, design: Design, arrivals: &[Arrival]) -> Result<Run> {
    let name = design.name();
    let cloud = Cloud::start(&design.local(options), |step| eprintln!("{name}: {step}")).await?;
    let result = spike(options, design, arrivals, &cloud).await;
    cloud.stop().await;
    result
}

async fn spike(
    options: &Options,
    design: Design,
    arrivals: &[Arrival],
    cloud: &Cloud,
) -> Result<Run> {
    let stores = Stores::of(cloud)?;
    for sku in articles(options) {
        stores.stock_up(&sku).await?;
    }
    let start = Instant::now();
    let latency = Duration::from_millis(options.write_latency);
    let table = Arc::new(Table::new(latency, options.write_units, start));
    let judge = table.clone();
    let _rule = cloud.faults().add(move |call| judge.judge(call));

    let mut watched = JoinSet::new();
    if options.watch {
        watched.spawn(look_on(cloud.console_url()));
    }
    let bar = progress(design.name(), " answered", arrivals.len())?;
    let watch = Watch::start();
    let api = Api::new(&cloud.api_url(), None)?;
    let polls = !options.no_poll;
    let (answers, mut follows) = send(&api, arrivals, start, polls, &bar).await?;
    let machine = watch.says();
    let accepted = answers.iter().filter_map(Answer::id).count();
    bar.set_length(accepted as u64);
    bar.set_prefix(" written");
    stores.drain(&table, &bar).await?;
    bar.finish();
    let mut followed = HashMap::new();
    while let Some((id, polls)) = follows.recv().await {
        followed.insert(id, polls);
    }

    let seen = table.seen();
    let ids = answers.iter().filter_map(Answer::id);
    let reconciliation = Reconciliation::of(
        ids,
        &stores.records().await?,
        IN_STOCK,
        &stores.stock().await?,
    );
    Ok(Run {
        name: design.name(),
        answers,
        attempts: seen.attempts,
        written: seen.written,
        at_once: at_once(cloud)?,
        machine,
        followed,
        reconciliation,
    })
}

/// Receives what the console sends to an open page, until it is dropped.
async fn look_on(console: String) -> Result<()> {
    let http: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let events = format!("{console}.console/events").parse()?;
    let mut events = http.get(events).await?.into_body();
    while let Some(event) = events.frame().await {
        event?;
    }
    Ok(())
}

/// The maximum number of orders that the workers hold at a time, if a cap limits them.
fn at_once(cloud: &Cloud) -> Result<Option<u32>> {
    let mut functions = cloud.stack().functions.values();
    let source = functions.find_map(|function| function.event_sources.first());
    let orders = source.and_then(|source| Some(source.batch_size * source.maximum_concurrency?));
    Ok(orders.map(u32::try_from).transpose()?)
}

/// The queue, if the design has one, and the tables.
struct Stores {
    dynamodb: DynamoDb,
    sqs: Sqs,
    queue: Option<String>,
    orders: String,
    articles: String,
}

impl Stores {
    fn of(cloud: &Cloud) -> Result<Self> {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                OPERATOR, OPERATOR, None, None, OPERATOR,
            )))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(cloud.services_url())
            .build();
        let table = |id: &str| {
            let table = cloud.stack().tables.get(id);
            table
                .map(|table| table.name.clone())
                .with_context(|| format!("the template has no {id}"))
        };
        Ok(Self {
            dynamodb: DynamoDb::new(&config),
            sqs: Sqs::new(&config),
            queue: cloud.stack().outputs.get("OrdersQueueUrl").cloned(),
            orders: table("OrdersTable")?,
            articles: table("ArticlesTable")?,
        })
    }

    async fn stock_up(&self, key: &str) -> Result<()> {
        let put = self.dynamodb.put_item().table_name(&self.articles);
        let row = Item::deserialize(kit::row_of(key, IN_STOCK))?;
        put.set_item(Some(row.into())).send().await?;
        Ok(())
    }

    /// Waits until the queue is empty.
    async fn drain(&self, table: &Table, bar: &ProgressBar) -> Result<()> {
        let Some(queue) = &self.queue else {
            return Ok(());
        };
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        let (mut written, mut since) = (0, Instant::now());
        while self.depth(queue).await? > 0 {
            ticks.tick().await;
            bar.set_position(table.written() as u64);
            if table.written() > written {
                (written, since) = (table.written(), Instant::now());
            }
            if since.elapsed() > STALLED {
                bail!("nothing was written for {STALLED:?}, but orders are still on the queue");
            }
        }
        bar.set_position(table.written() as u64);
        Ok(())
    }

    async fn depth(&self, queue: &str) -> Result<u64> {
        let counters = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let get = self.sqs.get_queue_attributes().queue_url(queue);
        let got = get
            .set_attribute_names(Some(counters.to_vec()))
            .send()
            .await?;
        let counts = got.attributes.unwrap_or_default();
        let count = |counter| Ok(counts.get(counter).context("no count")?.parse::<u64>()?);
        counters.iter().map(count).sum()
    }

    /// Reads every order's row.
    async fn records(&self) -> Result<Vec<OrderRecord>> {
        Ok(serde_dynamo::from_items(self.rows(&self.orders).await?)?)
    }

    /// Reads the remaining stock of each article of the spike; the template's own articles have their own stock.
    async fn stock(&self) -> Result<BTreeMap<String, i64>> {
        let rows = self.rows(&self.articles).await?.into_iter();
        let rows = rows.map(|row| json!(Item::from(row)));
        let left = |row: Value| Some((kit::key_of(&row)?.to_owned(), kit::left_in(&row)?));
        let mut left: BTreeMap<_, _> = rows.filter_map(left).collect();
        left.retain(|key, _| key.starts_with("load-"));
        Ok(left)
    }

    async fn rows(&self, table: &str) -> Result<Vec<HashMap<String, AttributeValue>>> {
        let scan = self.dynamodb.scan().table_name(table).consistent_read(true);
        let pages = scan.into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}
