//! Drives a headless Chromium through ChromeDriver, over the W3C's WebDriver protocol.
//!
//! The protocol is JSON over HTTP, and these tests need ten of its calls. `fantoccini` and `thirtyfour` are clients of the
//! whole protocol; the former brings the crate `webdriver`, whose licence `.cargo/deny.toml` doesn't allow.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How long ChromeDriver and the browser may take to start.
const START: Duration = Duration::from_mins(1);
/// How often to check a condition.
const LOOK: Duration = Duration::from_millis(50);
/// How soon a page that a form requested must be there.
const SHOWN: Duration = Duration::from_secs(20);

/// WebDriver's error for an element that is no longer in the page.
const STALE: &str = "stale element reference";

/// Runs ChromeDriver until its own standard input closes, and then ends everything that it has started. So nothing outlives
/// the test, however that ends.
const DRIVER: &str = "chromedriver --port=0 & read -r _; kill 0";

/// WebDriver's names of keys that aren't characters.
pub mod key {
    pub const TAB: &str = "\u{e004}";
    pub const ENTER: &str = "\u{e007}";
    pub const SHIFT: &str = "\u{e008}";
    pub const CONTROL: &str = "\u{e009}";
}

/// A browser with one window, until it quits.
pub struct Browser {
    session: String,
    http: Client<HttpConnector, Full<Bytes>>,
    _driver: Child, // With its standard input.
    _profile: TempDir,
}

/// Whether ChromeDriver is installed.
pub fn is_there() -> bool {
    let version = std::process::Command::new("chromedriver")
        .arg("--version")
        .output();
    version.is_ok_and(|version| version.status.success())
}

impl Browser {
    pub async fn start() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new("sh")
            .args(["-c", DRIVER])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = driver.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let port = timeout(START, port(&mut lines)).await??;
        // ChromeDriver goes on writing, and would end without a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let folder = format!("--user-data-dir={}", profile.path().display());
        let mut browser = Self {
            session: format!("http://127.0.0.1:{port}/session"),
            http: Client::builder(TokioExecutor::new()).build_http(),
            _driver: driver,
            _profile: profile,
        };
        let arguments = [
            "--headless",
            "--no-sandbox", // As root it doesn't start otherwise.
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &folder,
        ];
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let session = timeout(START, browser.call(Method::POST, "", &wanted)).await??;
        let id = session["sessionId"].as_str().context("no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    /// Closes the browser, which would outlive its driver.
    pub async fn quit(self) -> Result<()> {
        self.call(Method::DELETE, "", &Value::Null).await?;
        Ok(())
    }

    pub async fn open(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({ "url": url })).await?;
        Ok(())
    }

    /// Runs a function's body in the page, and returns its result.
    pub async fn run(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
            .await
    }

    /// Runs a function's body that passes its result to the callback in its last argument.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        self.post("/execute/async", &json!({"script": script, "args": []}))
            .await
    }

    /// The visible text of an element.
    pub async fn text(&self, css: &str) -> Result<String> {
        let element = self.find(css).await?;
        let path = format!("/element/{element}/text");
        let text = self.call(Method::GET, &path, &Value::Null).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until an element has this text. It needs no script in the page, and survives a page that is being replaced.
    pub async fn shows(&self, css: &str, text: &str) -> Result<()> {
        let end = Instant::now() + SHOWN;
        loop {
            let seen = self.text(css).await;
            if seen.as_ref().is_ok_and(|seen| seen.contains(text)) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("`{css}` doesn't show `{text}` within {SHOWN:?}, but {seen:?}");
            }
            sleep(LOOK).await;
        }
    }

    /// Clicks an element as a mouse would: it must be visible and uncovered. A live part of the page may be replaced between
    /// finding and clicking the element: then it is found again.
    pub async fn click(&self, css: &str) -> Result<()> {
        let end = Instant::now() + SHOWN;
        loop {
            let element = self.find(css).await?;
            let path = format!("/element/{element}/click");
            match self.post(&path, &json!({})).await {
                Err(error) if error.to_string().contains(STALE) && Instant::now() < end => {}
                clicked => return clicked.map(drop),
            }
        }
    }

    /// Replaces a field's content.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.find(css).await?;
        self.post(&format!("/element/{element}/clear"), &json!({}))
            .await?;
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        )
        .await?;
        Ok(())
    }

    /// Presses keys one after the other, while those of `held` are down. [`key`] has those that aren't characters.
    pub async fn press(&self, held: &str, keys: &str) -> Result<()> {
        let act = |kind: &str, key: char| json!({"type": kind, "value": key});
        let mut actions: Vec<_> = held.chars().map(|key| act("keyDown", key)).collect();
        actions.extend(
            keys.chars()
                .flat_map(|key| [act("keyDown", key), act("keyUp", key)]),
        );
        actions.extend(held.chars().map(|key| act("keyUp", key)));
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.post("/actions", &json!({"actions": [keyboard]}))
            .await?;
        Ok(())
    }

    /// Waits until a condition in the page is true.
    pub async fn until(&self, within: Duration, condition: &str) -> Result<()> {
        let end = Instant::now() + within;
        let script = format!("return Boolean({condition})");
        loop {
            // A page that is being replaced doesn't answer.
            if matches!(self.run(&script).await, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if Instant::now() > end {
                let page = self.run("return document.body.innerText").await?;
                bail!("`{condition}` isn't true within {within:?}, on: {page}");
            }
            sleep(LOOK).await;
        }
    }

    /// Sends a command of Chromium's own protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Result<Value> {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        )
        .await
    }

    /// Sets the preferred scheme, light or dark.
    pub async fn prefer(&self, scheme: &str) -> Result<()> {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.command("Emulation.setEmulatedMedia", json!({"features": [feature]}))
            .await?;
        Ok(())
    }

    /// Sets the size of the page in pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        Ok(())
    }

    /// Takes a screenshot of the visible part, as a PNG.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        let png = self.call(Method::GET, "/screenshot", &Value::Null).await?;
        Ok(STANDARD.decode(png.as_str().context("no picture")?)?)
    }

    /// The id of the one element that a selector matches.
    async fn find(&self, css: &str) -> Result<String> {
        let wanted = json!({"using": "css selector", "value": css});
        let element = self
            .post("/element", &wanted)
            .await
            .with_context(|| css.to_owned())?;
        let id = element
            .as_object()
            .and_then(|element| element.values().next());
        Ok(id.and_then(Value::as_str).context("no element")?.to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, body).await
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .body(Full::from(body))?;
        let (head, body) = self.http.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&body)?;
        ensure!(
            head.status.is_success(),
            "{path}: {}",
            answer["value"]["message"]
        );
        Ok(answer["value"].take())
    }
}

/// The port that ChromeDriver prints once it is up.
async fn port(lines: &mut Lines<impl AsyncBufRead + Unpin>) -> Result<u16> {
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    bail!("ChromeDriver printed no port")
}
