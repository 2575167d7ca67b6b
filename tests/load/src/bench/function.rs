//! Starts, invokes and measures a function's process behind a Runtime API.

use super::{cloud::Cloud, usage::Usage};
use anyhow::{Context, bail};
use bytes::Bytes;
use local::lambda::{
    runtime_api::{Invocation, RuntimeApi, Said},
    trace::Trace,
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};
use uuid::Uuid;

/// The time limit of every step, even within a quota or in valgrind.
const LIMIT: Duration = Duration::from_mins(1);
/// How many bytes of the log's end an error message shows.
const KEPT_LOG: usize = 4096;

/// A command and its environment.
#[derive(Debug, Clone)]
pub struct Program {
    pub command: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT`.
    pub folder: PathBuf,
    /// Variables in addition to those that Lambda sets.
    pub environment: BTreeMap<String, OsString>,
    /// Size of the deployment package.
    pub bytes: u64,
}

/// CPU and wall time of a part of a function's life.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub cpu: Duration,
    pub wall: Duration,
}

/// A process that waits for an invocation.
#[derive(Debug)]
pub struct Function {
    child: Child,
    api: RuntimeApi,
    usage: Usage,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
struct Log {
    bytes: AtomicU64,
    end: Mutex<Vec<u8>>,
}

impl Function {
    /// Starts the program, prefixed with the words of `wrapper`, and waits until it asks for an invocation.
    pub async fn start(
        program: &Program,
        wrapper: &[OsString],
        cloud: &Cloud,
    ) -> anyhow::Result<(Self, Spent)> {
        let api = RuntimeApi::start().await?;
        let mut command = command(program, wrapper, &api, cloud)?;
        let begin = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {}", program.command[0].display()))?;
        let usage = Usage::of(child.id().context("the process has ended")?);
        let log = Arc::<Log>::default();
        tokio::spawn(log.clone().follow(child.stdout.take()));
        tokio::spawn(log.clone().follow(child.stderr.take()));
        let mut function = Self {
            child,
            api,
            usage,
            log,
        };
        match function.said().await? {
            Said::Idle => {}
            said => bail!("the function did not initialise: {said:?}"),
        }
        let wall = begin.elapsed();
        let cpu = function.usage.at_rest().await?;
        Ok((function, Spent { cpu, wall }))
    }

    /// Invokes the function, returns its answer and the response time, and waits until it asks for the next invocation.
    pub async fn invoke(&mut self, payload: Bytes) -> anyhow::Result<(Bytes, Duration)> {
        let begin = Instant::now();
        self.api.hand_over(Invocation {
            id: Uuid::new_v4().to_string(),
            arn: "arn:aws:lambda:us-east-1:123456789012:function:bench".to_owned(),
            timeout: Duration::from_secs(30),
            trace: Trace::begin().of_invocation().to_string(),
            payload,
        });
        let answer = match self.said().await? {
            Said::Answer(Ok(answer)) => answer,
            said => bail!("the function did not answer: {said:?}"),
        };
        let wall = begin.elapsed();
        match self.said().await? {
            Said::Idle => Ok((answer, wall)),
            said => bail!("the function went on after its answer: {said:?}"),
        }
    }

    /// Returns its usage so far.
    pub fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// The number of bytes that it has logged.
    pub fn logged(&self) -> u64 {
        self.log.bytes.load(Ordering::Relaxed)
    }

    /// Kills it, and waits until it has ended.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Waits until it ends by itself.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        timeout(LIMIT, self.child.wait()).await??;
        Ok(())
    }

    async fn said(&mut self) -> anyhow::Result<Said> {
        let why = tokio::select! {
            biased;
            said = timeout(LIMIT, self.api.said()) => match said {
                Ok(said) => return Ok(said),
                Err(_) => format!("no progress for {} s", LIMIT.as_secs()),
            },
            status = self.child.wait() => format!("the process has ended: {}", status?),
        };
        let log = self.log.end.lock().unwrap_or_else(PoisonError::into_inner);
        bail!(
            "{why}; its log ends with\n{}",
            String::from_utf8_lossy(&log)
        )
    }
}

impl Log {
    async fn follow<R: AsyncRead + Unpin>(self: Arc<Self>, from: Option<R>) {
        let Some(mut from) = from else { return };
        let mut buffer = [0; KEPT_LOG];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = u64::try_from(read).unwrap_or(u64::MAX);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            end.extend_from_slice(&buffer[..read]);
            let surplus = end.len().saturating_sub(KEPT_LOG);
            end.drain(..surplus);
        }
    }
}

/// Sets the environment as Lambda does.
fn command(
    program: &Program,
    wrapper: &[OsString],
    api: &RuntimeApi,
    cloud: &Cloud,
) -> anyhow::Result<Command> {
    let mut words = wrapper.iter().chain(&program.command);
    let mut command = Command::new(words.next().context("a program has a command")?);
    command
        .args(words)
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[$LATEST]bench"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            ("AWS_ENDPOINT_URL", &cloud.endpoint),
            ("_HANDLER", "bootstrap"),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ])
        // `NODE_EXTRA_CA_CERTS` adds a root, `SSL_CERT_FILE` replaces all: a function must load as many roots as on AWS.
        .env("NODE_EXTRA_CA_CERTS", cloud.trust.own())
        .env("SSL_CERT_FILE", cloud.trust.whole())
        .env("LAMBDA_TASK_ROOT", &program.folder)
        .envs(&program.environment)
        .current_dir(&program.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}
