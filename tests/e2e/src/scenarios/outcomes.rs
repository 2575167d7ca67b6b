//! Outcomes are published on an event bus.

use crate::{
    listener::Published,
    orders::{new_id, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::{OrderId, OrderPlaced, Outcome, order::kit};
use serde_json::{Value, json};
use std::sync::Arc;

scenarios! {
    each_outcome_is_published_as_its_row_has_it [Events Tables Queue]
    a_failed_order_is_published_and_so_is_its_redrive [Events Tables Queue]
    a_redelivery_publishes_the_row_again [Events Tables Invoke]
    only_the_first_order_under_a_key_is_published [Events Tables Invoke]
    a_bus_is_known_by_its_arn_too [Parameters]
    without_a_bus_nothing_is_sent [Parameters]
}

/// Whether one of these events has the outcome.
fn is(outcome: Outcome) -> impl Fn(&[Published]) -> bool {
    move |published| {
        published
            .iter()
            .any(|published| published.detail.outcome == outcome)
    }
}

/// Orders with one key that no API has accepted, as one SQS batch.
pub struct Batch {
    /// The orders' ids.
    pub ids: Vec<OrderId>,
    bodies: Vec<String>,
}

impl Batch {
    /// Makes this many orders. The nth has the tag `{sku}-{n}`, with n in two digits, by which a fault rule finds its event.
    pub fn new(sku: &str, orders: usize) -> Result<Self> {
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        for n in 0..orders {
            let id = new_id()?;
            let order = kit::tagged(order(&[(sku, 1)]), &format!("{sku}-{n:02}"));
            bodies.push(placed(id, &order)?.to_json());
            ids.push(id);
        }
        Ok(Self { ids, bodies })
    }

    /// The event that delivers these orders.
    pub fn event(&self) -> Value {
        let messages: Vec<_> = self.bodies.iter().map(|body| (body.clone(), 1)).collect();
        sqs_event(&messages)
    }
}

/// Makes `process` handle the batch, and checks which records it reports as failed.
pub async fn process(stack: &Stack, batch: &Batch, failed: &[usize]) -> Result<()> {
    let reported = stack.aws()?.process(&batch.event()).await?;
    let expected: Vec<_> = failed.iter().map(ToString::to_string).collect();
    ensure!(reported == expected, "{reported:?}, not {expected:?}");
    Ok(())
}

/// Checks that each order of the batch is stored, and was published at least once.
pub async fn is_published(stack: &Stack, batch: &Batch) -> Result<()> {
    for id in &batch.ids {
        let row = stack.aws()?.record(&id.to_string()).await?;
        ensure!(row.context("no row")?.outcome == Outcome::Confirmed);
        let id = id.to_string();
        stack.listener()?.wait(&id, is(Outcome::Confirmed)).await?;
    }
    Ok(())
}

/// Waits for the event of an order that is published after all others of this scenario.
pub async fn all_are_heard(stack: &Stack) -> Result<()> {
    let last = Batch::new(&stack.article(1).await?, 1)?;
    process(stack, &last, &[]).await?;
    is_published(stack, &last).await
}

async fn each_outcome_is_published_as_its_row_has_it(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(1).await?);
    let check = async |sku: &str, outcome: Outcome| {
        let order = kit::tagged(order(&[(sku, 1)]), "PO-1");
        let id = stack.api.place(&order, None).await?;
        let published = stack.listener()?.wait(&id, is(outcome)).await?;
        let row = aws
            .record(&id)
            .await?
            .context("published before it had a row")?;
        let event = &published[0].detail;
        ensure!(
            published[0].kind == event.detail_type() && published[0].source == aws.names.source
        );
        ensure!((event.outcome, event.client.as_str()) == (row.outcome, row.client.as_str()));
        ensure!((event.placed_at, event.processed_at) == (row.placed_at, row.processed_at));
        ensure!(event.order == row.order.excerpt(), "{event:?}");
        ensure!(json!(event).to_string().contains("PO-1"), "{event:?}");
        anyhow::Ok(())
    };
    check(&sku, Outcome::Confirmed).await?;
    check(&sku, Outcome::TOO_LITTLE).await?;
    let missing = format!("{sku}-missing");
    check(&missing, Outcome::MISSING).await
}

async fn a_failed_order_is_published_and_so_is_its_redrive(stack: Arc<Stack>) -> Result<()> {
    let stack = stack.alone().await?;
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    aws.put_row(&kit::broken_row_of(&sku)).await?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    let listener = stack.listener()?;
    let published = listener.wait(&id, is(Outcome::Failed)).await?;
    ensure!(published[0].kind == "Order Failed", "{published:?}");
    until("the order is on the dead-letter queue", || {
        aws.dead_letter(&id)
    })
    .await?;
    aws.put_stock(&sku, 10).await?;
    until("the order is confirmed", || async {
        // A task leaves messages that are hidden, and only one runs at a time.
        drop(aws.redrive().await);
        Ok(aws
            .record(&id)
            .await?
            .filter(|row| row.outcome == Outcome::Confirmed))
    })
    .await?;
    let published = listener.wait(&id, is(Outcome::Confirmed)).await?;
    let at = |outcome| {
        let mut of = published
            .iter()
            .filter(|published| published.detail.outcome == outcome);
        of.next().map(|published| published.detail.processed_at)
    };
    ensure!(
        at(Outcome::Failed) < at(Outcome::Confirmed),
        "{published:?}"
    );
    stack.end().await
}

async fn a_redelivery_publishes_the_row_again(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let batch = Batch::new(&sku, 3)?;
    process(&stack, &batch, &[]).await?;
    is_published(&stack, &batch).await?;
    process(&stack, &batch, &[]).await?;
    for id in &batch.ids {
        let twice = |published: &[Published]| published.len() == 2;
        let published = stack.listener()?.wait(&id.to_string(), twice).await?;
        ensure!(published[0] == published[1], "{published:?}");
    }
    Ok(())
}

async fn only_the_first_order_under_a_key_is_published(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let body = |quantity| anyhow::Ok(placed(id, &order(&[(&sku, quantity)]))?.to_json());
    let deliver = async |bodies: &[String]| {
        let messages: Vec<_> = bodies.iter().map(|body| (body.clone(), 1)).collect();
        ensure!(aws.process(&sqs_event(&messages)).await?.is_empty());
        anyhow::Ok(())
    };
    // The second message is a copy, the third another order.
    deliver(&[body(1)?, body(1)?, body(2)?]).await?;
    deliver(&[body(2)?]).await?;
    all_are_heard(&stack).await?;
    let published = stack.listener()?.published(&id.to_string());
    let first = OrderPlaced::from_json(&body(1)?)?.order().excerpt();
    ensure!(
        published.len() == 1 && published[0].detail.order == first,
        "{published:?}"
    );
    Ok(())
}

async fn a_bus_is_known_by_its_arn_too(_: Arc<Stack>) -> Result<()> {
    let arn = "OutcomeBus=arn:aws:events:us-east-1:000000000000:event-bus/default";
    let stack = Stack::local(&[arn]).await?;
    let sku = stack.article(1).await?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    stack.listener()?.wait(&id, is(Outcome::Confirmed)).await?;
    stack.audit().await?;
    stack.stop().await;
    Ok(())
}

async fn without_a_bus_nothing_is_sent(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&[]).await?;
    ensure!(stack.listener().is_err());
    let sku = stack.article(1).await?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    stack.api.settled(&id).await?;
    let aws = stack.aws()?;
    until("the message is processed", || async {
        Ok((aws.depth(&aws.names.queue).await? == 0).then_some(()))
    })
    .await?;
    let faults = stack.cloud()?.faults();
    ensure!(faults.count("ProcessFunction", "TransactWriteItems") == 1);
    ensure!(faults.count("ProcessFunction", "PutEvents") == 0);
    let role = &stack.cloud()?.stack().roles["ProcessRole"];
    let actions = role
        .statements
        .iter()
        .flat_map(|statement| &statement.actions);
    ensure!(!actions.clone().any(|action| action.starts_with("events:")));
    stack.stop().await;
    Ok(())
}
