//! `local` as a separate process.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::functions::binaries;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Shorter than a long poll that isn't refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long `local` may take to start: it may have to build its functions first.
const START: Duration = Duration::from_mins(10);
/// How long an outcome may take: an order may have to wait for the machine.
const OUTCOME: Duration = Duration::from_mins(1);

/// A running `local` with all its functions, on ports of its own.
pub struct Local {
    pub child: Child,
    pub api: u16,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Local {
    /// The command that starts it, in the workspace.
    pub fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command
            .args(["--port", "0", "--quiet"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdin(Stdio::null());
        command
    }

    /// Starts it, and reads its stdout up to the API's address.
    pub async fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let api = timeout(START, async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("http://127.0.0.1:")
                    && let Some((port, _)) = rest.split_once('/')
                {
                    return Ok(port.parse()?);
                }
            }
            anyhow::bail!("`local` has ended")
        });
        Ok(Self {
            api: api.await??,
            child,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// Sends a request to one of its ports.
    pub async fn send(
        &self,
        method: &str,
        port: u16,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Result<Response<Incoming>> {
        let address = format!("http://127.0.0.1:{port}{path}");
        let mut request = Request::builder().method(method).uri(&address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.client.request(request.body(Full::from(body))?);
        let answered = timeout(PATIENCE, sent).await;
        let what = || format!("{method} {address} {headers:?}");
        answered
            .with_context(|| format!("no answer: {}", what()))?
            .with_context(what)
    }

    /// Calls the API as a client does, and parses the answer's JSON.
    async fn call(&self, method: &str, path: &str, body: &'static str) -> Result<Value> {
        let headers = [("content-type", "application/json"), ("x-api-key", "ann")];
        let answer = self.send(method, self.api, path, &headers, body).await?;
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }
}

#[tokio::test]
async fn it_serves_without_a_reader() -> Result<()> {
    let (reader, stderr) = std::io::pipe()?;
    drop(reader);
    let mut command = Local::command();
    command.stderr(stderr);
    let mut local = Local::start(command).await?;
    local.call("GET", "/v1/openapi.json", "").await?;
    ensure!(local.child.try_wait()?.is_none(), "the process has ended");
    Ok(())
}

#[tokio::test]
async fn it_runs_binaries_that_exist_without_cargo() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let names = ["ingest", "status", "process"];
    let selection = names.map(|name| ["--bin", name]).concat();
    let built = binaries(&root, &[&selection[..], &["--workspace"]].concat()).await?;
    let release = tempfile::tempdir()?;
    for name in names {
        fs::copy(&built[name], release.path().join(name))?;
    }
    fs::create_dir(release.path().join("events"))?;
    for file in ["template.yaml", "events/articles.json"] {
        fs::copy(root.join(file), release.path().join(file))?;
    }
    let elsewhere = tempfile::tempdir()?;
    let command = |functions: &Path| {
        let mut command = Local::command();
        command
            .arg("--functions")
            .arg(functions)
            .current_dir(elsewhere.path())
            .env("PATH", "")
            .env("CARGO", "/nowhere/cargo");
        command
    };
    let local = Local::start(command(release.path())).await?;
    let order = r#"{"lines":[{"sku":"cup","quantity":2,"unit_price":1250}],"currency":"EUR"}"#;
    let placed = local.call("POST", "/v1/orders", order).await?;
    let path = format!("/v1/orders/{}", placed["id"].as_str().context("no id")?);
    let sent = Instant::now();
    loop {
        let found = local.call("GET", &path, "").await?;
        if found["status"] == "confirmed" {
            break;
        }
        let waits = found["status"] == "queued" && sent.elapsed() < OUTCOME;
        ensure!(waits, "{found}");
    }

    fs::remove_file(release.path().join("status"))?;
    for (functions, expected) in [
        (release.path(), "StatusFunction: there is no binary"),
        (elsewhere.path(), "template.yaml"),
    ] {
        let output = command(functions).output().await?;
        let said = String::from_utf8(output.stderr)?;
        let last = said.lines().last().context("it printed nothing")?;
        let is_refused = !output.status.success();
        ensure!(
            is_refused && last.starts_with("error: ") && last.contains(expected),
            "{said}"
        );
    }
    Ok(())
}
