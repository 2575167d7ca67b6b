//! Lambda: runs the functions' real binaries, one process for each execution environment.

mod environment;
mod log;
mod pool;
pub mod runtime_api;
pub mod trace;

use self::{environment::Definition, log::Log, pool::Pool, trace::Trace};
use crate::{faults::Faults, template::model::Function};
use anyhow::Context;
use bytes::Bytes;
use futures_util::future::join_all;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// The maximum size of a payload and of an answer: 6 MB.
pub const PAYLOAD_LIMIT: usize = 6_291_556;

/// The maximum number of concurrent invocations of one function, as in an account without others.
const ACCOUNT_CONCURRENCY: usize = 1000;

/// How long an environment may be idle before it is stopped.
const IDLE_LIMIT: Duration = Duration::from_mins(5);

/// Every function of the stack, by logical id.
#[derive(Debug)]
pub struct Lambda {
    pools: Arc<BTreeMap<String, Arc<Pool>>>,
}

/// Why an invocation has no response.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function has reached its limit of concurrent invocations.
    #[error("Rate Exceeded.")]
    Throttled,
    /// The function failed: the error document, with `errorType` and `errorMessage`.
    #[error("{}", String::from_utf8_lossy(.0))]
    Failed(Bytes),
}

impl Lambda {
    /// Takes the functions and their executables by logical id, the services' base URL, and the maximum number of processes of
    /// one function. `print` shows the functions' logs on stderr; `faults` may crash the processes. Nothing is started yet.
    pub fn new(
        functions: &BTreeMap<String, Function>,
        executables: &BTreeMap<String, PathBuf>,
        services: &str,
        processes: u16,
        print: bool,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        let mut pools = BTreeMap::new();
        for (logical_id, function) in functions {
            let definition = Definition {
                logical_id: logical_id.clone(),
                function: function.clone(),
                executable: executables
                    .get(logical_id)
                    .with_context(|| format!("no executable for function {logical_id}"))?
                    .clone(),
                services: services.to_owned(),
                faults: faults.clone(),
                log: Arc::new(Log::new(logical_id, print)),
            };
            let limit = function.reserved_concurrency.unwrap_or(ACCOUNT_CONCURRENCY);
            pools.insert(
                logical_id.clone(),
                Arc::new(Pool::new(definition, limit, processes)),
            );
        }
        Ok(Self {
            pools: Arc::new(pools),
        })
    }

    /// Starts one environment of each function, so that a function that dies at start is noticed before the first request, and
    /// stops environments that stay idle. The services must be answering.
    pub async fn start(&self) -> anyhow::Result<()> {
        let starts = self.pools.values().map(|pool| async {
            match pool.start().await {
                Ok(environment) => {
                    pool.keep(environment).await;
                    Ok(())
                }
                Err(document) => {
                    let function = &pool.definition.logical_id;
                    let lines = pool.definition.log.lines();
                    let document = String::from_utf8_lossy(&document).into_owned();
                    let reason = lines.iter().rfind(|line| is_statement(line));
                    let reason = reason.unwrap_or(&document);
                    Err(anyhow::anyhow!(
                        "function {function} died at start: {reason}"
                    ))
                }
            }
        });
        join_all(starts)
            .await
            .into_iter()
            .collect::<anyhow::Result<()>>()?;

        let pools = Arc::downgrade(&self.pools);
        tokio::spawn(async move {
            let mut tick = interval(IDLE_LIMIT / 10);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                let Some(pools) = pools.upgrade() else { return };
                join_all(pools.values().map(|pool| pool.reap(IDLE_LIMIT))).await;
            }
        });
        Ok(())
    }

    /// Invokes a function by its logical id, in a new trace, and waits for its response.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.invoke_in(Trace::begin(), function, payload).await
    }

    /// Invokes a function in its caller's trace.
    pub async fn invoke_in(
        &self,
        trace: Trace,
        function: &str,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let Some(pool) = self.pools.get(function) else {
            return Err(InvokeError::Failed(error_document(
                "ResourceNotFoundException",
                &format!("Function not found: {}", environment::arn(function)),
            )));
        };
        if payload.len() > PAYLOAD_LIMIT {
            return Err(InvokeError::Failed(error_document(
                "RequestTooLargeException",
                &format!("Request must be smaller than {PAYLOAD_LIMIT} bytes"),
            )));
        }
        pool.invoke(trace.of_invocation(), payload).await
    }

    /// Finds the logical id of a function by that id, its name, or its ARN, any of which may end in its alias or `$LATEST`.
    pub fn logical_id(&self, function: &str) -> Option<&str> {
        self.pools.values().find_map(|pool| {
            let definition = &pool.definition;
            let name = definition.function.name.as_str();
            let arn = environment::arn(name);
            let alias = definition.function.alias.as_deref();
            [&definition.logical_id, name, &arn]
                .into_iter()
                .filter_map(|known| function.strip_prefix(known))
                .any(|rest| {
                    rest.is_empty()
                        || rest
                            .strip_prefix(':')
                            .is_some_and(|rest| Some(rest) == alias || rest == "$LATEST")
                })
                .then_some(definition.logical_id.as_str())
        })
    }

    /// The highest number of concurrent invocations of a function so far; 0 for one that doesn't exist.
    pub fn peak_concurrency(&self, function: &str) -> usize {
        self.pools
            .get(function)
            .map_or(0, |pool| pool.peak_concurrency())
    }

    /// The running invocations of a function; 0 for one that doesn't exist.
    pub fn running(&self, function: &str) -> usize {
        self.pools.get(function).map_or(0, |pool| pool.running())
    }

    /// The output of the function's processes, newest last; only the newest 10,000 lines are kept.
    pub fn log_lines(&self, function: &str) -> Vec<String> {
        self.pools
            .get(function)
            .map_or_else(Vec::new, |pool| pool.definition.log.lines())
    }

    /// The lines among them that contain this text.
    pub fn log_lines_with(&self, function: &str, text: &str) -> Vec<String> {
        self.pools
            .get(function)
            .map_or_else(Vec::new, |pool| pool.definition.log.lines_with(text))
    }

    /// Kills every process and waits until all are gone; afterwards every invocation is throttled.
    pub async fn stop(&self) {
        join_all(self.pools.values().map(|pool| pool.stop())).await;
    }
}

/// Whether a line makes sense alone. The last line of an error with its causes, or of a panic with its hint, does not.
fn is_statement(line: &str) -> bool {
    let detail = line.starts_with(char::is_whitespace) || line.starts_with("note: ");
    !(line.is_empty() || detail || line.ends_with(':'))
}

/// Makes the answer of an invocation that failed.
fn error_document(error_type: &str, message: &str) -> Bytes {
    serde_json::json!({"errorType": error_type, "errorMessage": message})
        .to_string()
        .into()
}
