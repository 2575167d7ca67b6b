//! Polls a queue and invokes a function, as an event source mapping does.

mod answer;
mod event;

use crate::{
    console::observer::Observer,
    faults::Faults,
    lambda::{InvokeError, Lambda, PAYLOAD_LIMIT},
    sqs::{Message, Sqs},
    template::model::EventSource,
    terminal::note,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

/// Concurrent batches without `MaximumConcurrency`. AWS goes up to 1,250, too many for one machine.
const DEFAULT_CONCURRENCY: usize = 10;

/// The wait of one long poll, the same as Lambda's.
const WAIT: Duration = Duration::from_secs(20);

/// A batch that could not even be tried keeps its permit for this long. Otherwise a queue would be drained into its visibility
/// timeout, and its receives used up, at full speed.
const PAUSE: Duration = Duration::from_secs(1);

/// A mapping that is ready to run.
#[derive(Clone)]
pub struct Mapping {
    /// The template's settings.
    pub source: EventSource,
    /// Name of the queue.
    pub queue: String,
    /// Logical id of the function.
    pub function: String,
    /// The queues.
    pub sqs: Sqs,
    /// The functions.
    pub lambda: Arc<Lambda>,
    /// Faults between the queue and the function.
    pub faults: Arc<Faults>,
    /// Observes each receive.
    pub observer: Arc<Observer>,
}

/// A message and its record in the function's event.
struct Received {
    message: Message,
    record: String,
}

impl Mapping {
    /// Polls until it is dropped, and then drops the batches in flight; their messages come back after the visibility timeout.
    /// One poller fills one batch at a time, and any number of batches is processed.
    pub async fn run(self) {
        let most = self.source.maximum_concurrency;
        let permits = Arc::new(Semaphore::new(most.unwrap_or(DEFAULT_CONCURRENCY)));
        let mut in_flight = JoinSet::new();
        let mut received = VecDeque::new();
        loop {
            // Takes a permit first: a message that waits for one would use up its visibility timeout, and its receives.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            let batch = self.fill(&mut received).await;
            if batch.is_empty() {
                continue;
            }
            let mapping = self.clone();
            in_flight.spawn(async move {
                mapping.process(batch).await;
                drop(permit);
            });
            while in_flight.try_join_next().is_some() {}
        }
    }

    /// Fills a batch with the last one's surplus, and then with new messages until it is full or the window since its first
    /// message has passed.
    async fn fill(&self, received: &mut VecDeque<Received>) -> Vec<Received> {
        let mut batch = Vec::new();
        let mut size = event::EMPTY_SIZE;
        let mut window_end = None;
        loop {
            while let Some(next) = received.front() {
                let larger = size + next.record.len() + 1;
                // A record that is too large for any batch gets its own batch, and Lambda refuses that.
                let fits = larger <= PAYLOAD_LIMIT || batch.is_empty();
                if batch.len() == self.source.batch_size || !fits {
                    return batch;
                }
                size = larger;
                batch.extend(received.pop_front());
            }
            if !batch.is_empty() && window_end.is_none() {
                window_end = Some(Instant::now() + self.source.window);
            }
            let missing = self.source.batch_size - batch.len();
            let wait = window_end.map_or(WAIT, |end| end.duration_since(Instant::now()));
            if missing == 0 || (wait.is_zero() && !batch.is_empty()) {
                return batch;
            }
            let fate = |body: &str| self.faults.deliver(body);
            match self.sqs.deliver(&self.queue, missing, wait, &fate).await {
                Ok(messages) if messages.is_empty() => return batch,
                Ok(messages) => received.extend(messages.into_iter().map(|message| Received {
                    record: event::record(&message, &self.queue),
                    message,
                })),
                Err(error) => {
                    note(&format!("receiving from {} failed: {error:#}", self.queue));
                    sleep(PAUSE).await;
                    return batch;
                }
            }
        }
    }

    /// Invokes the function and deletes the messages that succeeded; the others come back after the visibility timeout.
    async fn process(&self, batch: Vec<Received>) {
        let messages = batch.iter().map(|received| &received.message);
        self.observer.received(&self.queue, messages);
        let event = event::event(batch.iter().map(|received| received.record.as_str()));
        let answer = match self.lambda.invoke(&self.function, event).await {
            Ok(answer) => answer,
            Err(InvokeError::Failed(_)) => return,
            Err(InvokeError::Throttled) => return sleep(PAUSE).await,
        };
        let ids: Vec<_> = batch.iter().map(|r| r.message.id.as_str()).collect();
        let succeeded = if self.source.report_batch_item_failures {
            answer::succeeded(&ids, &answer)
        } else {
            ids
        };
        let receipts: Vec<_> = batch
            .iter()
            .filter(|received| succeeded.contains(&received.message.id.as_str()))
            .map(|received| received.message.receipt_handle.clone())
            .collect();
        if let Err(error) = self.sqs.delete(&self.queue, &receipts) {
            note(&format!("deleting from {} failed: {error:#}", self.queue));
        }
    }
}
