//! A model of the event source mapping and of Lambda: at most so many workers at a time, each with the real
//! `Processor` in an environment that lives until it is killed.

use crate::{
    case::{Case, Fault},
    clock, cloudwatch,
    request::{ARTICLES, ORDERS},
    wire::{Wire, partition},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use events::OrderPlaced;
use process::{
    bus::OutcomeBus, effects::Effects, processor::Processor, table::OrderTable,
    visibility::MessageVisibility,
};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout},
};

/// The most bytes of an invocation, and what a record has besides its body.
const PAYLOAD: usize = 6 << 20;
const ENVELOPE: usize = 900;

/// A poller looks for messages that it doesn't know of as often as this.
const LOOK: Duration = Duration::from_millis(100);

/// A message that comes back early comes back within this time.
const EARLY: Duration = Duration::from_secs(3);

/// Starts the workers, on this thread. They end with the runtime.
pub fn start(case: &Case, wire: &Wire) {
    let turn = Arc::new(Mutex::new(()));
    for number in 0..case.stack.workers {
        let worker = Worker {
            number,
            case: case.clone(),
            wire: wire.clone(),
            turn: turn.clone(),
        };
        tokio::task::spawn_local(worker.work());
    }
}

struct Worker {
    number: usize,
    case: Case,
    wire: Wire,
    /// Held by the worker that waits for the next message.
    turn: Arc<Mutex<()>>,
}

impl Worker {
    async fn work(self) {
        let mut environment = None;
        loop {
            let batch = self.batch().await;
            let processor = environment.get_or_insert_with(|| self.processor());
            if !self.invoke(processor, batch).await {
                environment = None;
            }
            sleep(self.case.stack.turnaround).await;
        }
    }

    fn processor(&self) -> Processor {
        let (config, stack) = (self.wire.config(), &self.case.stack);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config);
        let sqs = aws_sdk_sqs::config::Builder::from(&config);
        let dynamodb = dynamodb.retry_partition(partition()).build();
        let sqs = sqs.retry_partition(partition()).build();
        // Made only where it is needed: a client draws numbers, and a seed without a bus is to stay the same run.
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
            ),
            visibility: MessageVisibility::new(
                &aws_sdk_sqs::Client::from_conf(sqs),
                "https://sqs.test/orders".to_owned(),
            ),
            bus,
            max_receives: stack.max_receives,
            retry_base: stack.retry_base,
            visibility_timeout: stack.visibility,
            effects: Effects {
                clock: clock::now,
                chance: fastrand::f64,
            },
            metrics: cloudwatch::emit,
        }
    }

    /// The next batch: a full one at once, else what came within the window.
    async fn batch(&self) -> Vec<SqsMessage> {
        let turn = self.turn.lock().await;
        let mut batch = Vec::new();
        while batch.is_empty() {
            let next = self.wire.queue().next();
            let look = Instant::now() + LOOK;
            sleep_until(next.map_or(look, |next| next.min(look))).await;
            batch = self.receive(self.case.stack.batch, 0);
        }
        drop(turn);
        let missing = self.case.stack.batch - batch.len();
        let bytes = batch.iter().map(size).sum::<usize>();
        if missing > 0 && bytes < PAYLOAD / 2 {
            sleep(self.case.stack.window).await;
            batch.extend(self.receive(missing, bytes));
        }
        batch
    }

    fn receive(&self, most: usize, mut bytes: usize) -> Vec<SqsMessage> {
        let mut batch = Vec::new();
        while batch.len() < most && bytes < PAYLOAD * 9 / 10 {
            let received = self.wire.queue().receive(1, || self.comes_back_early());
            if received.is_empty() {
                break;
            }
            bytes += received.iter().map(size).sum::<usize>();
            batch.extend(received);
        }
        batch
    }

    /// The time after which a message that is received now comes back too early, if it does.
    fn comes_back_early(&self) -> Option<Duration> {
        let tables = self.wire.tables();
        if tables.strikes(Fault::DeliveredTwice) {
            return Some(Duration::ZERO);
        }
        let early = tables.strikes(Fault::BackEarly);
        early.then(|| EARLY.mul_f64(fastrand::f64()))
    }

    /// Invokes the processor, and says whether it lives on.
    async fn invoke(&self, processor: &Processor, batch: Vec<SqsMessage>) -> bool {
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
        let (at_await, at_moment, clock) = {
            let tables = self.wire.tables();
            let at_await = tables.strikes(Fault::KilledAtAwait);
            let clock = tables.strikes(Fault::ClockWrong);
            (at_await, tables.strikes(Fault::Killed), clock)
        };
        let mut end = Instant::now() + limit;
        if clock {
            // The deadline is a time of day, which a wrong clock takes for another.
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
            invocation: Box::pin(processor.handle(event, end)),
        };
        if let Ok(Some(Ok(response))) = timeout(life, invocation).await {
            self.done(&received, &response);
            return true;
        }
        trace.say(|| format!("worker {number}: is killed"));
        cloudwatch::failed();
        false
    }

    /// Deletes the messages, given by id and receipt handle, that a batch doesn't report as failed.
    fn done(&self, received: &[(String, String)], response: &SqsBatchResponse) {
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
            let (bus, mut tables) = (self.wire.bus(), self.wire.tables());
            // A message is only done when its order's row is known to be there, and its outcome told.
            let row = OrderPlaced::from_json(&body).ok().and_then(|placed| {
                let row = tables.rows.get(&placed.id().to_string())?;
                let own = row.fingerprint == placed.fingerprint().as_str();
                let is_told = !self.case.stack.bus || bus.has_told(&row.id, &row.status);
                ((row.status != "failed" && is_told) || !own).then_some(())
            });
            if row.is_none() {
                tables.seen.wrong.push(format!(
                    "message {id} was done, and its order is not: {body}"
                ));
            }
        }
    }
}

fn size(record: &SqsMessage) -> usize {
    record.body.as_ref().map_or(0, String::len) + ENVELOPE
}

/// An invocation that is over after so many polls.
struct Mortal<F> {
    polls: usize,
    invocation: Pin<Box<F>>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(polls) = self.polls.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.polls = polls;
        self.invocation.as_mut().poll(context).map(Some)
    }
}
