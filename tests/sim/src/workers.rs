//! A model of the event source mapping: a limited number of workers at a time, each with the real `Processor` in an environment
//! that lives until it is killed. The module `environment` models Lambda.

mod environment;

use crate::{
    case::{Case, Fault},
    clock,
    queue::Receive,
    wire::Wire,
};
use aws_lambda_events::sqs::SqsMessage;
use fastrand::Rng;
use process::processor::Processor;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// The maximum number of bytes in an invocation, and a record's size without its body.
const PAYLOAD: usize = 6 << 20;
const ENVELOPE: usize = 900;

/// How often a poller checks for messages that it doesn't know of.
const LOOK: Duration = Duration::from_millis(100);

/// The time after which a message comes back, if it does so early.
const EARLY: Duration = Duration::from_secs(3);

/// Starts the workers, on this thread. They end with the runtime.
pub fn start(case: &Case, wire: &Wire) {
    let turn = Arc::new(Mutex::new(()));
    let clocks = &mut Rng::with_seed(case.seed);
    for number in 0..case.stack.workers {
        let error = case.weather.clocks.mul_f64(clocks.f64());
        let worker = Worker {
            number,
            clock: if clocks.bool() {
                clock::Wrong::Ahead(error)
            } else {
                clock::Wrong::Behind(error)
            },
            case: case.clone(),
            wire: wire.clone(),
            turn: turn.clone(),
        };
        tokio::task::spawn_local(worker.work());
    }
}

struct Worker {
    number: usize,
    clock: clock::Wrong,
    case: Case,
    wire: Wire,
    /// Held by the worker that waits for the next message.
    turn: Arc<Mutex<()>>,
}

impl Worker {
    async fn work(self) {
        // One environment of the current version, and one of the old one.
        let mut environments: [Option<Processor>; 2] = [None, None];
        loop {
            let batch = self.batch().await;
            let is_old = self.wire.tables().strikes(Fault::OldWorker);
            let environment = &mut environments[usize::from(is_old)];
            let processor = environment.get_or_insert_with(|| self.processor(is_old));
            if !self.invoke(processor, is_old, batch).await {
                *environment = None;
            }
            sleep(self.case.stack.turnaround).await;
        }
    }

    /// Returns the next batch: a full one at once, otherwise what arrived within the window.
    async fn batch(&self) -> Vec<SqsMessage> {
        let turn = self.turn.lock().await;
        let mut batch = Vec::new();
        let start = Instant::now();
        while batch.is_empty() {
            self.look(start).await;
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
            if self.wire.tables().strikes(Fault::ReceivedInVain) {
                drop(self.wire.queue().receive(1, || Receive::PLAIN));
            }
            let received = self.wire.queue().receive(1, || self.how());
            if received.is_empty() {
                break;
            }
            bytes += received.iter().map(size).sum::<usize>();
            batch.extend(received);
        }
        batch
    }

    /// Waits until there may be a message. A poller that has waited since `start` checks at intervals, except for messages
    /// that it knows of.
    async fn look(&self, start: Instant) {
        let (next, changed) = {
            let queue = self.wire.queue();
            (queue.next(), queue.changed.clone())
        };
        let changed = changed.notified();
        match next {
            Some(next) => {
                if timeout_at(next, changed).await.is_err() {
                    return;
                }
            }
            None => changed.await,
        }
        let steps = start.elapsed().as_millis().div_ceil(LOOK.as_millis());
        let step = start + LOOK * u32::try_from(steps).unwrap_or(u32::MAX);
        let next = self.wire.queue().next();
        sleep_until(next.map_or(step, |next| next.min(step))).await;
    }

    /// Randomly picks what is unusual about receiving a message.
    fn how(&self) -> Receive {
        let tables = self.wire.tables();
        let back = if tables.strikes(Fault::DeliveredTwice) {
            Some(Duration::ZERO)
        } else {
            let early = tables.strikes(Fault::BackEarly);
            early.then(|| EARLY.mul_f64(fastrand::f64()))
        };
        let jumps = tables.strikes(Fault::CountJumps);
        Receive {
            counts: if jumps { fastrand::u32(2..=4) } else { 1 },
            back,
        }
    }
}

fn size(record: &SqsMessage) -> usize {
    record.body.as_ref().map_or(0, String::len) + ENVELOPE
}
