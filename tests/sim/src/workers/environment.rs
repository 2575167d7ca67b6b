//! Lambda: an invocation of the real `Processor`, and everything that can happen to it.

use super::Worker;
use crate::{
    case::Fault,
    clock, cloudwatch,
    request::{ARTICLES, ORDERS},
    wire::partition,
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use events::OrderPlaced;
use process::{
    bus::OutcomeBus, effects::Effects, processor::Processor, table::OrderTable,
    visibility::MessageVisibility,
};
use std::{
    future::pending,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout};

impl Worker {
    /// An environment of the current version, or of the old one.
    pub(super) fn processor(&self, is_old: bool) -> Processor {
        let stack = if is_old {
            self.case.old_stack()
        } else {
            self.case.stack.clone()
        };
        let config = self.wire.config();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config);
        let sqs = aws_sdk_sqs::config::Builder::from(&config);
        let dynamodb = dynamodb.retry_partition(partition()).build();
        let sqs = sqs.retry_partition(partition()).build();
        let bus = stack.bus.then(|| {
            let eventbridge = aws_sdk_eventbridge::config::Builder::from(&config);
            let eventbridge = eventbridge.retry_partition(partition()).build();
            let eventbridge = aws_sdk_eventbridge::Client::from_conf(eventbridge);
            OutcomeBus::new(&eventbridge, "outcomes".to_owned(), "sim".to_owned())
        });
        Processor {
            table: OrderTable::new(
                &aws_sdk_dynamodb::Client::from_conf(dynamodb),
                ORDERS.to_owned(),
                ARTICLES.to_owned(),
            )
            .keeping(stack.keep),
            visibility: MessageVisibility::new(
                &aws_sdk_sqs::Client::from_conf(sqs),
                "https://sqs.test/orders".to_owned(),
            ),
            bus,
            max_receives: stack.max_receives,
            retry_base: stack.retry_base,
            visibility_timeout: stack.visibility,
            effects: Effects {
                clock: clock::of_worker,
                chance: fastrand::f64,
            },
            metrics: cloudwatch::emit,
        }
    }

    /// Invokes the processor, and returns whether it survives.
    pub(super) async fn invoke(
        &self,
        processor: &Processor,
        is_old: bool,
        batch: Vec<SqsMessage>,
    ) -> bool {
        let (number, limit) = (self.number, self.case.stack.timeout);
        let trace = &self.wire.trace;
        trace.say(|| {
            let ids = batch
                .iter()
                .filter_map(|record| record.message_id.as_deref());
            format!(
                "worker {number}: gets {}",
                ids.collect::<Vec<_>>().join(" ")
            )
        });
        let received: Vec<_> = batch
            .iter()
            .filter_map(|record| Some((record.message_id.clone()?, record.receipt_handle.clone()?)))
            .collect();
        if self.wire.tables().strikes(Fault::CannotStart) {
            cloudwatch::failed();
            return false;
        }
        let mut event = SqsEvent::default();
        event.records = batch;
        let strikes = |fault| self.wire.tables().strikes(fault);
        let at_await = strikes(Fault::KilledAtAwait);
        let clock = strikes(Fault::ClockWrong);
        let at_moment = strikes(Fault::Killed);
        let hangs = strikes(Fault::WorkerHangs);
        let mut end = Instant::now() + limit;
        if clock {
            // The deadline is a time of day, which a wrong clock mistakes for another.
            end = Instant::now() + Duration::from_mins(1).mul_f64(fastrand::f64());
        }
        let life = if at_moment {
            limit.mul_f64(fastrand::f64())
        } else {
            limit
        };
        let invocation = Mortal {
            polls: if at_await {
                fastrand::usize(..60)
            } else {
                usize::MAX
            },
            clock: self.clock,
            invocation: Box::pin(processor.handle(event, end)),
        };
        let answer = async {
            if hangs && fastrand::bool() {
                return pending().await;
            }
            let answer = invocation.await;
            if hangs { pending().await } else { answer }
        };
        if let Ok(Some(Ok(response))) = timeout(life, answer).await {
            self.done(&received, is_old, &response);
            return true;
        }
        trace.say(|| format!("worker {number}: is killed"));
        cloudwatch::failed();
        false
    }

    /// Deletes the messages, by id and receipt handle, that a batch doesn't report as failed.
    fn done(&self, received: &[(String, String)], is_old: bool, response: &SqsBatchResponse) {
        let failed: Vec<_> = response
            .batch_item_failures
            .iter()
            .map(|failure| &failure.item_identifier)
            .collect();
        let number = self.number;
        self.wire
            .trace
            .say(|| format!("worker {number}: reports {failed:?}"));
        for (id, handle) in received.iter().filter(|(id, _)| !failed.contains(&id)) {
            let Some(body) = self.wire.queue().delete(handle) else {
                continue;
            };
            cloudwatch::deleted();
            let (mut bus, mut tables) = (self.wire.bus(), self.wire.tables());
            // A message may only be deleted when its order has a row, and the outcome is published.
            let is_done = OrderPlaced::from_json(&body).is_ok_and(|placed| {
                let id = placed.id().to_string();
                if is_old {
                    bus.unpublished.insert(id.clone());
                }
                tables.rows_of(&id).any(|row| {
                    let is_own = row.fingerprint == placed.fingerprint().as_str();
                    let is_published = !self.case.stack.bus || bus.is_published(row);
                    (row.status != "failed" && is_published) || !is_own
                })
            });
            if !is_done {
                let wrong =
                    format!("message {id} was deleted, but its order isn't settled: {body}");
                tables.seen.wrong.push(wrong);
            }
        }
    }
}

/// An invocation that ends after this many polls.
struct Mortal<F> {
    polls: usize,
    clock: clock::Wrong,
    invocation: Pin<Box<F>>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(polls) = self.polls.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.polls = polls;
        clock::by(self.clock, || self.invocation.as_mut().poll(context)).map(Some)
    }
}
