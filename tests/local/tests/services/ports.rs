//! Every port that `local` listens on, found in `/proc`: none answers a foreign page.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{collections::BTreeSet, fs, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// A long poll that isn't refused would last.
const PATIENCE: Duration = Duration::from_secs(10);
/// `local` may have to build its functions first.
const START: Duration = Duration::from_mins(10);

/// `local` as a process of its own, with all its functions started.
struct Local {
    child: Child,
    api: u16,
}

impl Local {
    /// Reads its stdout as far as the API's address.
    async fn start(stderr: Stdio) -> Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--port", "0", "--quiet"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()?;
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
        let api = api.await??;
        Ok(Self { child, api })
    }

    /// The ports on which the process listens.
    fn ports(&self) -> Result<BTreeSet<u16>> {
        let process = Path::new("/proc").join(self.child.id().context("it has ended")?.to_string());
        let mut sockets = BTreeSet::new();
        for file in fs::read_dir(process.join("fd"))? {
            // A file may be closed meanwhile.
            let target = fs::read_link(file?.path()).unwrap_or_default();
            let target = target.to_string_lossy().into_owned();
            let inode = target.strip_prefix("socket:[").map(str::to_owned);
            sockets.extend(inode.and_then(|inode| Some(inode.strip_suffix(']')?.to_owned())));
        }
        let mut ports = BTreeSet::new();
        for table in ["net/tcp", "net/tcp6"] {
            for line in fs::read_to_string(process.join(table))?.lines().skip(1) {
                let fields: Vec<_> = line.split_whitespace().collect();
                let [_, address, _, state, .., _] = fields[..] else {
                    continue;
                };
                let is_its_own = fields.get(9).is_some_and(|inode| sockets.contains(*inode));
                // 0A is LISTEN.
                if state == "0A" && is_its_own {
                    let (_, port) = address.rsplit_once(':').context("no port")?;
                    ports.insert(u16::from_str_radix(port, 16)?);
                }
            }
        }
        Ok(ports)
    }
}

struct Page(Client<HttpConnector, Full<Bytes>>);

impl Page {
    async fn send(
        &self,
        method: &str,
        port: u16,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response<Incoming>> {
        let address = format!("http://127.0.0.1:{port}{path}");
        let mut request = Request::builder().method(method).uri(&address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.0.request(request.body(Full::from("{}"))?);
        let answered = timeout(PATIENCE, sent).await;
        let what = || format!("{method} {address} {headers:?}");
        answered
            .with_context(|| format!("no answer: {}", what()))?
            .with_context(what)
    }
}

#[tokio::test]
async fn it_serves_without_a_reader() -> Result<()> {
    let (reader, stderr) = std::io::pipe()?;
    drop(reader);
    let mut local = Local::start(stderr.into()).await?;
    let page = Page(Client::builder(TokioExecutor::new()).build_http());
    let answer = page.send("GET", local.api, "/v1/openapi.json", &[]).await?;
    ensure!(answer.status() == 200, "{answer:?}");
    ensure!(local.child.try_wait()?.is_none(), "it has ended");
    Ok(())
}

#[tokio::test]
async fn no_port_answers_a_foreign_page() -> Result<()> {
    let local = Local::start(Stdio::inherit()).await?;
    let ports = local.ports()?;
    // The API, the services, and a Runtime API for each function at least.
    ensure!(
        ports.contains(&local.api) && ports.len() >= 5,
        "{ports:?} {}",
        local.api
    );
    let page = Page(Client::builder(TokioExecutor::new()).build_http());
    for port in ports {
        let rebound = format!("evil.example:{port}");
        let rebound_origin = format!("http://{rebound}");
        let elsewhere = ("origin", "https://evil.example");
        let pages: [&[(&str, &str)]; 9] = [
            &[elsewhere],
            &[elsewhere, ("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "http://localhost:5173")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "image"),
            ],
            &[
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "no-cors"),
            ],
            // DNS rebinding: for the browser it is the page's own address.
            &[("host", &rebound), ("origin", &rebound_origin)],
            &[("host", &rebound), ("sec-fetch-site", "same-origin")],
            &[("host", "evil.example")],
        ];
        for headers in pages {
            for (method, path, target) in [
                ("GET", "/", ""),
                ("GET", "/2018-06-01/runtime/invocation/next", ""),
                ("GET", "/v1/openapi.json", ""),
                ("POST", "/v1/orders", ""),
                (
                    "POST",
                    "/2015-03-31/functions/IngestFunction/invocations",
                    "",
                ),
                ("POST", "/", "DynamoDB_20120810.ListTables"),
                ("POST", "/", "AmazonSQS.ListQueues"),
                ("POST", "/.console/spike", ""),
                ("DELETE", "/anything", ""),
                ("OPTIONS", "/", ""),
                ("OPTIONS", "/v1/orders", ""),
            ] {
                let asked = [
                    ("access-control-request-method", "POST"),
                    ("access-control-request-headers", "x-amz-target"),
                    ("x-amz-target", target),
                    ("content-type", "application/x-amz-json-1.0"),
                    ("x-amz-date", "20260101T000000Z"),
                    (
                        "authorization",
                        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
                    ),
                ];
                let headers = [headers, &asked].concat();
                let answer = page.send(method, port, path, &headers).await?;
                let allows = answer.headers().contains_key("access-control-allow-origin");
                ensure!(
                    answer.status() == 403 && !allows,
                    "{method} {port} {path} {headers:?}: {answer:?}"
                );
            }
        }
        // A link opens the console, and nothing else does.
        let link = |target| {
            [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", target),
            ]
        };
        for (method, path, target) in [
            ("GET", "/", "document"),
            ("GET", "/?order=1", "document"),
            ("GET", "/", "iframe"),
            ("POST", "/", "document"),
            ("GET", "/.console/events", "document"),
            ("GET", "/v1/openapi.json", "document"),
            ("GET", "/2018-06-01/runtime/invocation/next", "document"),
        ] {
            let is_page = path == "/" || path.starts_with("/?");
            let opens = port == local.api && is_page && (method, target) == ("GET", "document");
            let expected = if opens { 200 } else { 403 };
            let answer = page.send(method, port, path, &link(target)).await?;
            ensure!(
                answer.status() == expected,
                "{method} {port} {path} {target}: {answer:?}"
            );
        }
    }
    Ok(())
}
