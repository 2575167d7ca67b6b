//! Outcomes are told on an event bus.

use crate::{
    listener::Told,
    orders::{new_id, order, placed, sqs_event},
    patience::until,
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use events::{OrderId, Outcome, Reason};
use serde_json::Value;
use std::sync::Arc;

scenarios! {
    each_outcome_is_told_as_its_row_has_it [Events Tables Queue]
    a_failed_order_is_told_and_so_is_its_redrive [Events Tables Queue]
    a_redelivery_tells_the_row_again [Events Tables Invoke]
    only_the_first_order_under_a_key_is_told [Events Tables Invoke]
    a_bus_is_known_by_its_arn_too [Parameters]
    without_a_bus_nothing_is_sent [Parameters]
}

/// An order with a reference, by which its event is found in a call.
fn with_reference(sku: &str, reference: &str) -> Value {
    let mut order = order(&[(sku, 1)]);
    order["reference"] = reference.into();
    order
}

/// Tells if these are the outcome, once or more.
fn is(outcome: Outcome) -> impl Fn(&[Told]) -> bool {
    move |told| told.iter().any(|told| told.detail.outcome == outcome)
}

/// Orders of one article that no API has accepted, as one batch of the queue.
pub struct Batch {
    /// The orders' ids.
    pub ids: Vec<OrderId>,
    bodies: Vec<String>,
}

impl Batch {
    /// Makes so many orders. The nth has the reference `{sku}-{n}`, of two digits.
    pub fn new(sku: &str, orders: usize) -> Result<Self> {
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        for n in 0..orders {
            let id = new_id()?;
            let order = with_reference(sku, &format!("{sku}-{n:02}"));
            bodies.push(placed(id, &order)?.to_json());
            ids.push(id);
        }
        Ok(Self { ids, bodies })
    }

    /// The event of a delivery of these orders.
    pub fn event(&self) -> Value {
        let messages: Vec<_> = self.bodies.iter().map(|body| (body.clone(), 1)).collect();
        sqs_event(&messages)
    }
}

/// Has `process` handle the batch, and checks the records that it reports as failed.
pub async fn process(stack: &Stack, batch: &Batch, failed: &[usize]) -> Result<()> {
    let reported = stack.aws()?.process(&batch.event()).await?;
    let expected: Vec<_> = failed.iter().map(ToString::to_string).collect();
    ensure!(reported == expected, "{reported:?}, not {expected:?}");
    Ok(())
}

/// Checks that each order of the batch is stored, and was told so at least once.
pub async fn is_told(stack: &Stack, batch: &Batch) -> Result<()> {
    for id in &batch.ids {
        let row = stack.aws()?.record(&id.to_string()).await?;
        ensure!(row.context("no row")?.outcome == Outcome::Confirmed);
        let id = id.to_string();
        stack.listener()?.wait(&id, is(Outcome::Confirmed)).await?;
    }
    Ok(())
}

/// Waits until an order was heard that is told after all others of this scenario.
pub async fn all_are_heard(stack: &Stack) -> Result<()> {
    let last = Batch::new(&stack.article(1).await?, 1)?;
    process(stack, &last, &[]).await?;
    is_told(stack, &last).await
}

async fn each_outcome_is_told_as_its_row_has_it(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(1).await?);
    let check = async |sku: &str, outcome: Outcome| {
        let order = with_reference(sku, "PO-1");
        let id = stack.api.place(&order, None).await?;
        let told = stack.listener()?.wait(&id, is(outcome)).await?;
        let row = aws.record(&id).await?.context("told before it had a row")?;
        let event = &told[0].detail;
        ensure!(told[0].kind == event.detail_type() && told[0].source == aws.names.source);
        ensure!((event.outcome, event.client.as_str()) == (row.outcome, row.client.as_str()));
        ensure!((event.placed_at, event.processed_at) == (row.placed_at, row.processed_at));
        ensure!((event.total, event.currency.as_str()) == (250, "EUR"));
        ensure!(event.reference.as_deref() == Some("PO-1"), "{event:?}");
        anyhow::Ok(())
    };
    check(&sku, Outcome::Confirmed).await?;
    check(&sku, Outcome::Rejected(Reason::OutOfStock)).await?;
    let missing = format!("{sku}-missing");
    check(&missing, Outcome::Rejected(Reason::UnknownArticle)).await
}

async fn a_failed_order_is_told_and_so_is_its_redrive(stack: Arc<Stack>) -> Result<()> {
    let _mine = stack.dead_letters.lock().await;
    let (aws, sku) = (stack.aws()?, stack.article(10).await?);
    aws.put_article(&sku, AttributeValue::S("ten".to_owned()))
        .await?;
    let id = stack.api.place(&order(&[(&sku, 1)]), None).await?;
    let listener = stack.listener()?;
    let told = listener.wait(&id, is(Outcome::Failed)).await?;
    ensure!(told[0].kind == "Order Failed", "{told:?}");
    until("the order is on the dead-letter queue", || {
        aws.dead_letter(&id)
    })
    .await?;
    aws.put_stock(&sku, 10).await?;
    let arn = aws.queue_arn(&aws.names.dead_letter_queue).await?;
    until("the order is confirmed", || async {
        // One move task runs at a time, and other scenarios have theirs.
        let redrive = aws.sqs.start_message_move_task().source_arn(&arn);
        drop(redrive.send().await);
        Ok((stack.api.settled(&id).await?["status"] == "confirmed").then_some(()))
    })
    .await?;
    let told = listener.wait(&id, is(Outcome::Confirmed)).await?;
    let at = |outcome| {
        let mut of = told.iter().filter(|told| told.detail.outcome == outcome);
        of.next().map(|told| told.detail.processed_at)
    };
    ensure!(at(Outcome::Failed) < at(Outcome::Confirmed), "{told:?}");
    Ok(())
}

async fn a_redelivery_tells_the_row_again(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(10).await?;
    let batch = Batch::new(&sku, 3)?;
    process(&stack, &batch, &[]).await?;
    is_told(&stack, &batch).await?;
    process(&stack, &batch, &[]).await?;
    for id in &batch.ids {
        let twice = |told: &[Told]| told.len() == 2;
        let told = stack.listener()?.wait(&id.to_string(), twice).await?;
        ensure!(told[0] == told[1], "{told:?}");
    }
    Ok(())
}

async fn only_the_first_order_under_a_key_is_told(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, id) = (stack.aws()?, stack.article(10).await?, new_id()?);
    let body = |quantity| anyhow::Ok(placed(id, &order(&[(&sku, quantity)]))?.to_json());
    let deliver = async |bodies: &[String]| {
        let messages: Vec<_> = bodies.iter().map(|body| (body.clone(), 1)).collect();
        ensure!(aws.process(&sqs_event(&messages)).await?.is_empty());
        anyhow::Ok(())
    };
    // The second is a copy, the third another order.
    deliver(&[body(1)?, body(1)?, body(2)?]).await?;
    deliver(&[body(2)?]).await?;
    all_are_heard(&stack).await?;
    let told = stack.listener()?.told(&id.to_string());
    ensure!(told.len() == 1 && told[0].detail.total == 250, "{told:?}");
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
    until("the message is done", || async {
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
