//! Runs one execution environment: a process of the function's binary and its Runtime API.

use super::{
    error_document,
    log::Log,
    runtime_api::{Invocation, RuntimeApi, Said},
    trace::Trace,
};
use crate::{
    faults::{Crash, Faults, Switch},
    template::model::{ACCOUNT, Function, REGION},
};
use anyhow::Context;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use uuid::Uuid;

/// Lambda's limit for a function's initialisation.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// An answer that can't be parsed.
const GARBAGE: &[u8] = b"\xff{garbage";

/// The settings that all environments of a function share.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) logical_id: String,
    pub(super) function: Function,
    pub(super) executable: PathBuf,
    /// Base URL of the services.
    pub(super) services: String,
    pub(super) log: Arc<Log>,
    pub(super) faults: Arc<Faults>,
}

#[derive(Debug)]
pub(super) struct Environment {
    definition: Arc<Definition>,
    child: Child,
    api: RuntimeApi,
    switch: Switch,
    output: [JoinHandle<()>; 2],
    /// Whether the process waits for an invocation.
    idle: bool,
}

impl Environment {
    /// Starts the process; `init` waits for it.
    pub(super) async fn spawn(definition: Arc<Definition>) -> anyhow::Result<Self> {
        let api = RuntimeApi::start().await?;
        let switch = definition
            .faults
            .processes()
            .register(&definition.logical_id);
        let mut child = command(&definition, &api, &switch)
            .spawn()
            .with_context(|| format!("cannot run {}", definition.executable.display()))?;
        let (stdout, stderr) = (
            child.stdout.take().context("no stdout")?,
            child.stderr.take().context("no stderr")?,
        );
        let (log, log2) = (definition.log.clone(), definition.log.clone());
        Ok(Self {
            definition,
            child,
            api,
            switch,
            output: [
                tokio::spawn(async move { log.follow(stdout).await }),
                tokio::spawn(async move { log2.follow(stderr).await }),
            ],
            idle: false,
        })
    }

    /// Waits until the process asks for its first invocation; otherwise returns the error document.
    pub(super) async fn init(&mut self) -> Result<(), Bytes> {
        let deadline = Instant::now() + INIT_LIMIT;
        let (mut crash, mut killed) = (self.crash(None), false);
        loop {
            tokio::select! {
                biased;
                () = moment(crash) => {
                    self.strike(&mut crash);
                    killed = true;
                }
                said = self.api.said(), if !killed => match said {
                    Said::InitError(document) => return Err(document),
                    Said::Idle | Said::Answer(_) => break,
                },
                reason = exit(&mut self.child) => {
                    return Err(error_document("Runtime.ExitError", &format!("Error: {reason}")));
                }
                () = sleep_until(deadline) => return Err(error_document(
                    "Sandbox.Timedout",
                    &format!("Init timed out after {:.2} seconds", INIT_LIMIT.as_secs_f64()),
                )),
            }
        }
        self.idle = true;
        Ok(())
    }

    /// Whether it can take an invocation; an environment that can't must be killed.
    pub(super) fn is_idle(&mut self) -> bool {
        self.idle && matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns when the process asks for the next invocation, as Lambda's invoke phase does: a caller that sends one request
    /// after another then meets the same environment again.
    pub(super) async fn invoke(&mut self, trace: &Trace, payload: Bytes) -> Result<Bytes, Bytes> {
        self.idle = false;
        self.switch.works(true);
        let id = Uuid::new_v4().to_string();
        let mut crash = self.crash(Some(&payload));
        let definition = self.definition.clone();
        let function = &definition.function;
        let deadline = Instant::now() + function.timeout;
        self.api.hand_over(Invocation {
            id: id.clone(),
            arn: arn(&function.name),
            timeout: function.timeout,
            trace: trace.to_string(),
            payload,
        });
        let answer = loop {
            tokio::select! {
                biased;
                () = moment(crash) => self.strike(&mut crash),
                () = self.switch.killed() => drop(self.child.start_kill()),
                said = self.api.said() => match said {
                    Said::Answer(answer) => break answer,
                    Said::Idle | Said::InitError(_) => {}
                },
                reason = exit(&mut self.child) => return Err(error_document(
                    "Runtime.ExitError",
                    &format!("RequestId: {id} Error: {reason}"),
                )),
                () = sleep_until(deadline) => return Err(error_document(
                    "Sandbox.Timedout",
                    &format!("{id} Task timed out after {:.2} seconds", function.timeout.as_secs_f64()),
                )),
            }
        };
        self.switch.works(false);
        tokio::select! {
            biased;
            _ = self.api.said() => self.idle = true,
            _ = self.child.wait() => {}
            () = sleep_until(deadline) => {}
        }
        match crash {
            Some((Crash::Garbage, _)) if answer.is_ok() => {
                self.count(Crash::Garbage);
                Ok(Bytes::from_static(GARBAGE))
            }
            _ => answer,
        }
    }

    /// Decides whether a fault strikes the process, and at which moment.
    fn crash(&self, payload: Option<&[u8]>) -> Option<(Crash, Option<Instant>)> {
        let crash = self
            .definition
            .faults
            .crash(&self.definition.logical_id, payload)?;
        let after = match crash {
            Crash::KilledInInit(after) | Crash::Killed(after) | Crash::Hung(after) => Some(after),
            Crash::Garbage | Crash::KilledEvery(_) => None,
        };
        Some((crash, after.map(|after| Instant::now() + after)))
    }

    /// Kills or stops the process.
    fn strike(&mut self, crash: &mut Option<(Crash, Option<Instant>)>) {
        let Some((crash, _)) = crash.take() else {
            return;
        };
        self.count(crash);
        match (crash, self.child.id()) {
            (Crash::Hung(_), Some(id)) => {
                // A process that has just ended can't be stopped, and need not be.
                let process = i32::try_from(id).ok().and_then(Pid::from_raw);
                process.and_then(|process| kill_process(process, Signal::STOP).ok());
            }
            _ => drop(self.child.start_kill()),
        }
    }

    fn count(&self, crash: Crash) {
        let Definition {
            faults, logical_id, ..
        } = &*self.definition;
        faults.tally().count(logical_id, crash);
    }

    /// Kills the process and waits until it has ended.
    pub(super) async fn kill(mut self) {
        drop(self.child.kill().await);
        // A process that it left behind could keep the pipes open.
        let rest = futures_util::future::join_all(self.output);
        drop(timeout(Duration::from_secs(1), rest).await);
    }
}

/// Waits for the moment of a crash that has one.
async fn moment(crash: Option<(Crash, Option<Instant>)>) {
    match crash {
        // A timer may be a millisecond late: enough for a process to start.
        Some((_, Some(moment))) if moment <= Instant::now() => {}
        Some((_, Some(moment))) => sleep_until(moment).await,
        _ => std::future::pending().await,
    }
}

/// Waits for a process to end by itself, and describes how it ended.
async fn exit(child: &mut Child) -> String {
    match child.wait().await {
        Ok(status) => format!("Runtime exited with error: {status}"),
        Err(error) => format!("Runtime exited with error: {error}"),
    }
}

/// The ARN of a function.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

fn command(definition: &Definition, api: &RuntimeApi, switch: &Switch) -> Command {
    let Definition {
        logical_id,
        function,
        executable,
        services,
        ..
    } = definition;
    let stream = Uuid::new_v4().simple().to_string();
    let mut command = Command::new(executable);
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                function.memory_size.to_string(),
            ),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            (
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", function.name),
            ),
            (
                "AWS_LAMBDA_LOG_STREAM_NAME",
                format!("local/[$LATEST]{stream}"),
            ),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            // The services identify the caller by the signature's credential, and the process by the token.
            ("AWS_ACCESS_KEY_ID", logical_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_SESSION_TOKEN", switch.token.clone()),
            ("AWS_ENDPOINT_URL", services.clone()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
        ])
        .env(
            "LAMBDA_TASK_ROOT",
            executable.parent().unwrap_or(executable),
        )
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in a terminal reaches the whole process group, but `stop` must end the functions in sequence.
        .process_group(0)
        .kill_on_drop(true);
    command
}
