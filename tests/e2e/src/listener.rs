//! Receives the outcomes that a stack publishes, through a queue of its own and a rule on the bus that sends to it.

use crate::{aws::Aws, patience::until};
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry as Entry, Target};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName};
use events::{OrderRecord, OutcomeEvent};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::{sync::Notify, task::JoinHandle};

/// An outcome event as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Published {
    pub source: String,
    #[serde(rename = "detail-type")]
    pub kind: String,
    pub detail: OutcomeEvent,
}

/// The events by their order's id, oldest first.
type ByOrder = BTreeMap<String, Vec<Published>>;

/// Receives until it is dropped or stopped.
pub struct Listener {
    queue: String,
    rule: String,
    heard: Arc<Mutex<Heard>>,
    arrivals: Arc<Notify>,
    task: JoinHandle<()>,
    /// The orders that had a row before the listener started.
    before: BTreeSet<String>,
}

#[derive(Default)]
struct Heard {
    by_order: ByOrder,
    /// Messages that aren't outcome events.
    unread: Vec<String>,
    /// Whether a probe has arrived.
    is_on: bool,
}

/// The detail type of a probe.
const PROBE: &str = "Probe";

impl Listener {
    /// Starts to receive every event that has this stack's source.
    pub async fn start(aws: &Aws) -> Result<Self> {
        let bus = aws.names.outcome_bus.as_deref();
        let (bus, source) = (bus.context("no bus")?, &aws.names.source);
        let name = format!("e2e-{:016x}", fastrand::u64(..));
        let queue = aws.sqs.create_queue().queue_name(&name).send().await?;
        let queue = queue.queue_url.context("no URL")?;
        let queue_arn = aws.queue_arn(&queue).await?;
        ensure!(
            !source.is_empty(),
            "OUTCOME_BUS is set, but OUTCOME_SOURCE isn't"
        );
        let pattern = json!({ "source": [source] }).to_string();
        let rule = aws.eventbridge.put_rule().name(&name);
        let rule = rule.event_bus_name(bus).event_pattern(pattern);
        let rule_arn = rule.send().await?.rule_arn;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        }]});
        let set = aws.sqs.set_queue_attributes().queue_url(&queue);
        set.attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await?;
        let target = Target::builder().id("queue").arn(queue_arn).build()?;
        let targets = aws.eventbridge.put_targets().rule(&name);
        targets.event_bus_name(bus).targets(target).send().await?;
        let before = aws.records().await?.into_iter();
        let before = before.map(|row| row.id.to_string()).collect();
        let (heard, arrivals) = (Arc::<Mutex<Heard>>::default(), Arc::default());
        let task = tokio::spawn(listen(
            aws.sqs.clone(),
            queue.clone(),
            Arc::clone(&heard),
            Arc::clone(&arrivals),
        ));
        // On AWS a new rule needs some time before it sends to a queue.
        let probe = Entry::builder().event_bus_name(bus).source(source);
        let probe = probe.detail_type(PROBE).detail("{}").build();
        until("the rule sends to the queue", || async {
            let put = aws.eventbridge.put_events().entries(probe.clone());
            put.send().await?;
            let is_on = heard.lock().expect("no panic in here").is_on;
            Ok(is_on.then_some(()))
        })
        .await?;
        Ok(Self {
            queue,
            rule: name,
            heard,
            arrivals,
            task,
            before,
        })
    }

    /// Returns the outcomes that were published for an order, oldest first.
    pub fn published(&self, id: &str) -> Vec<Published> {
        let heard = self.heard.lock().expect("no panic in here");
        heard.by_order.get(id).cloned().unwrap_or_default()
    }

    /// Waits until an order's events satisfy `wanted`.
    pub async fn wait(
        &self,
        id: &str,
        wanted: impl Fn(&[Published]) -> bool,
    ) -> Result<Vec<Published>> {
        let heard = async {
            loop {
                let arrival = self.arrivals.notified();
                let published = self.published(id);
                if wanted(&published) {
                    return published;
                }
                arrival.await;
            }
        };
        tokio::time::timeout(crate::patience::PATIENCE, heard)
            .await
            .with_context(|| format!("for {id} only this was published: {:?}", self.published(id)))
    }

    /// Compares the published outcomes with the rows. Returns what is wrong, and the number of events beyond one per outcome.
    pub fn compare<'r>(
        &self,
        source: &str,
        rows: impl Iterator<Item = &'r OrderRecord>,
    ) -> (Vec<String>, usize) {
        let heard = self.heard.lock().expect("no panic in here");
        let mut wrong = heard.unread.clone();
        let mut by_order: BTreeMap<_, _> = heard.by_order.iter().collect();
        let mut more = 0;
        for row in rows {
            let published = by_order.remove(&row.id.to_string());
            let published = published.map_or(&[][..], Vec::as_slice);
            let finals = published
                .iter()
                .filter(|published| published.detail.outcome.is_final());
            if row.outcome.is_final() && finals.clone().count() == 0 {
                let is_new = !self.before.contains(&row.id.to_string());
                wrong
                    .extend(is_new.then(|| format!("nothing was published for {}", describe(row))));
            }
            more += finals.count().saturating_sub(1);
            let bad = published
                .iter()
                .filter(|published| !is_of(published, source, row));
            wrong.extend(bad.map(|published| {
                format!("wrongly published for {}: {published:?}", describe(row))
            }));
        }
        let rowless = by_order.into_values();
        wrong.extend(rowless.map(|published| format!("published without a row: {published:?}")));
        (wrong, more)
    }

    /// Removes the rule and the queue.
    pub async fn stop(&self, aws: &Aws) -> Result<()> {
        self.task.abort();
        let bus = aws.names.outcome_bus.as_deref().unwrap_or_default();
        let targets = aws.eventbridge.remove_targets().rule(&self.rule);
        targets.event_bus_name(bus).ids("queue").send().await?;
        let rule = aws.eventbridge.delete_rule().name(&self.rule);
        rule.event_bus_name(bus).send().await?;
        aws.sqs.delete_queue().queue_url(&self.queue).send().await?;
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether an event is right for an order with this row. An order that failed may have been settled since.
fn is_of(published: &Published, source: &str, row: &OrderRecord) -> bool {
    let event = &published.detail;
    let is_outcome = if event.outcome.is_final() {
        (event.outcome, event.placed_at, event.processed_at)
            == (row.outcome, row.placed_at, row.processed_at)
    } else {
        event.processed_at <= row.processed_at
    };
    is_outcome
        && published.source == source
        && published.kind == event.detail_type()
        && event.client == row.client
        && event.order == row.order.excerpt()
        && row.summary == row.order.summary()
}

fn describe(row: &OrderRecord) -> String {
    format!("{} {:?} at {}", row.id, row.outcome, row.processed_at)
}

/// Receives until the task is aborted.
async fn listen(
    sqs: aws_sdk_sqs::Client,
    queue: String,
    heard: Arc<Mutex<Heard>>,
    arrivals: Arc<Notify>,
) {
    loop {
        let receive = sqs.receive_message().queue_url(&queue);
        let receive = receive.max_number_of_messages(10).wait_time_seconds(5);
        let messages = match receive.send().await {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                let error = anyhow::Error::from(error);
                eprintln!("the listener can't receive: {error:#}");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
        };
        if messages.is_empty() {
            continue;
        }
        hear(&mut heard.lock().expect("no panic in here"), &messages);
        arrivals.notify_waiters();
        let entries = messages.iter().enumerate().map(|(n, message)| {
            let handle = message.receipt_handle.clone();
            DeleteMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .set_receipt_handle(handle)
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>().unwrap_or_default();
        let delete = sqs.delete_message_batch().queue_url(&queue);
        drop(delete.set_entries(Some(entries)).send().await);
    }
}

fn hear(heard: &mut Heard, messages: &[Message]) {
    for message in messages {
        let body = message.body.as_deref().unwrap_or_default();
        match serde_json::from_str::<Published>(body) {
            Ok(published) => {
                let id = published.detail.id.to_string();
                heard.by_order.entry(id).or_default().push(published);
            }
            Err(_) if body.contains(&format!("\"{PROBE}\"")) => heard.is_on = true,
            Err(error) => heard.unread.push(format!("{error}: {body}")),
        }
    }
}
