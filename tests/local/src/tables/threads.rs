//! Threads for the database's calls, which block, and which recurse into caller-supplied data.

use std::{io, sync::Arc};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinError,
};

/// The stack of a thread. dynoxide recurses into an expression, and 4,096 bytes of parentheses, which DynamoDB allows, need
/// more than a default stack: the process would abort, and all orders with it. Each call uses only as much as it needs.
const STACK: usize = 64 << 20;
/// The database has one lock: more threads would only wait for it.
const MOST: usize = 4;

/// Threads that end with the last clone.
#[derive(Debug, Clone)]
pub(super) struct Threads(Arc<Pool>);

#[derive(Debug)]
struct Pool(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .thread_name("tables")
            .thread_stack_size(STACK)
            .max_blocking_threads(MOST)
            .build()?;
        Ok(Self(Arc::new(Pool(Some(runtime)))))
    }

    /// Runs `work` to its end, whether or not the caller waits for it. Fails if it panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let Pool(runtime) = &*self.0;
        let runtime = runtime.as_ref().expect("it is there until it is dropped");
        runtime.spawn_blocking(work).await
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // A runtime that waits for its threads must not be dropped inside another.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
