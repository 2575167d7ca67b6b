//! Keeps the environments of one function: scaled from zero, kept while they are idle.

use super::{
    InvokeError,
    environment::{Definition, Environment},
    error_document,
    trace::Trace,
};
use bytes::Bytes;
use futures_util::future::join_all;
use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) definition: Arc<Definition>,
    limit: usize,
    permits: Arc<Semaphore>,
    processes: Semaphore,
    peak: AtomicUsize,
    /// The idle environments, most recently used last, each with the start of its idleness.
    idle: Mutex<Vec<(Environment, Instant)>>,
    stopping: watch::Sender<bool>,
}

impl Pool {
    pub(super) fn new(definition: Definition, limit: usize, processes: u16) -> Self {
        Self {
            definition: Arc::new(definition),
            limit,
            permits: Arc::new(Semaphore::new(limit)),
            processes: Semaphore::new(processes.into()),
            peak: AtomicUsize::new(0),
            idle: Mutex::default(),
            stopping: watch::Sender::new(false),
        }
    }

    pub(super) fn peak_concurrency(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// The running invocations.
    pub(super) fn running(&self) -> usize {
        self.limit - self.permits.available_permits()
    }

    pub(super) async fn invoke(
        self: &Arc<Self>,
        trace: Trace,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let permit = self
            .permits
            .clone()
            .try_acquire_owned()
            .map_err(|_| InvokeError::Throttled)?;
        self.peak.fetch_max(self.running(), Ordering::Relaxed);
        // Runs in its own task: an invocation continues when its caller goes away.
        let task = tokio::spawn(self.clone().run(trace, payload, permit));
        match task.await {
            Ok(answer) => answer.map_err(InvokeError::Failed),
            Err(error) => Err(InvokeError::Failed(error_document(
                "Sandbox.Failure",
                &error.to_string(),
            ))),
        }
    }

    async fn run(
        self: Arc<Self>,
        trace: Trace,
        payload: Bytes,
        _permit: OwnedSemaphorePermit,
    ) -> Result<Bytes, Bytes> {
        let Ok(_process) = self.processes.acquire().await else {
            return Err(stopped());
        };
        let mut environment = match self.take_idle().await {
            Some(environment) => environment,
            None => self.start().await?,
        };
        let mut stopping = self.stopping.subscribe();
        let answer = tokio::select! {
            answer = environment.invoke(&trace, payload) => answer,
            _ = stopping.wait_for(|stopping| *stopping) => Err(stopped()),
        };
        self.keep(environment).await;
        answer
    }

    /// Starts an environment that waits for its first invocation.
    pub(super) async fn start(&self) -> Result<Environment, Bytes> {
        let mut environment = Environment::spawn(self.definition.clone())
            .await
            .map_err(|error| error_document("Runtime.InvalidEntrypoint", &format!("{error:#}")))?;
        let mut stopping = self.stopping.subscribe();
        let init = tokio::select! {
            init = environment.init() => init,
            _ = stopping.wait_for(|stopping| *stopping) => Err(stopped()),
        };
        match init {
            Ok(()) => Ok(environment),
            Err(document) => {
                environment.kill().await;
                Err(document)
            }
        }
    }

    /// Keeps an environment for the next invocation if it can take one.
    pub(super) async fn keep(&self, mut environment: Environment) {
        if environment.is_idle() {
            self.idle().push((environment, Instant::now()));
        } else {
            environment.kill().await;
        }
    }

    async fn take_idle(&self) -> Option<Environment> {
        loop {
            let (mut environment, _) = self.idle().pop()?;
            if environment.is_idle() {
                return Some(environment);
            }
            environment.kill().await;
        }
    }

    /// Stops the environments that were idle for this long.
    pub(super) async fn reap(&self, age: Duration) {
        let old: Vec<_> = self
            .idle()
            .extract_if(.., |(_, since)| since.elapsed() >= age)
            .collect();
        join_all(old.into_iter().map(|(environment, _)| environment.kill())).await;
    }

    /// Kills every process and waits for it; nothing is invoked afterwards.
    pub(super) async fn stop(&self) {
        self.stopping.send_replace(true);
        self.processes.close();
        let all = u32::try_from(self.limit).unwrap_or(u32::MAX);
        if let Ok(permits) = self.permits.acquire_many(all).await {
            permits.forget();
        }
        let idle = mem::take(&mut *self.idle());
        join_all(idle.into_iter().map(|(environment, _)| environment.kill())).await;
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Environment, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> Bytes {
    error_document("Sandbox.Stopped", "the machine is shutting down")
}
