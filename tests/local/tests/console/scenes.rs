//! What a user of the console sees.

use crate::{Shop, browser::key};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::{pin::Pin, time::Duration};

/// A test.
pub type Scene = for<'s> fn(&'s Shop) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 's>>;

/// For what takes only the machine's time.
pub const SOON: Duration = Duration::from_secs(20);
/// For what depends on the queue.
pub const DRAINED: Duration = Duration::from_mins(2);
/// How long until the last client knows its outcome: a client that polled before any order was settled may wait six minutes.
const KNOWN: Duration = Duration::from_mins(7);

pub const LIVE: &str = "document.documentElement.dataset.state === 'live'";

impl Shop {
    pub async fn open(&self, path: &str) -> Result<()> {
        let page = self.cloud.console_url();
        self.browser
            .open(&format!("{}{path}", page.trim_end_matches('/')))
            .await
    }

    /// Opens the page and waits until it is live.
    pub async fn watch(&self) -> Result<()> {
        self.open("/").await?;
        self.browser.until(SOON, LIVE).await
    }

    /// Switches on a fault that kills an order, and waits until it is dead; returns its id.
    pub async fn dead_order(&self) -> Result<String> {
        self.browser.click("#faults summary").await?;
        self.browser
            .fill("#refused-code", "ValidationException")
            .await?;
        self.browser.fill("#refused-rate", "1").await?;
        self.browser.click("form:has(#refused-code) button").await?;
        let is_on = in_part(
            "live-faults",
            "TransactWriteItems refused: ValidationException, 100 %",
        );
        self.browser.until(SOON, &is_on).await?;
        let id = self.place().await?;
        self.browser
            .until(DRAINED, &in_part("live-dead-letters", &id))
            .await?;
        Ok(id)
    }

    /// Presses Tab, with `held` down, until the focus is on a matching element.
    async fn tab(&self, held: &str, css: &str) -> Result<()> {
        let is_there = format!("return document.activeElement.matches('{css}')");
        for _ in 0..100 {
            if self.browser.run(&is_there).await? == json!(true) {
                return Ok(());
            }
            self.browser.press(held, key::TAB).await?;
        }
        bail!("a hundred tabs don't lead to `{css}`")
    }

    /// Places an order as a client does; returns its id.
    async fn place(&self) -> Result<String> {
        let order = json!({"lines": [{"sku": "cup", "quantity": 1, "unit_price": 1250}], "currency": "EUR"});
        let request = Request::post(format!("{}/orders", self.cloud.api_url()))
            .header("content-type", "application/json")
            .header("x-api-key", "ann")
            .body(Full::from(order.to_string()))?;
        let http: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let (head, body) = http.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(
            head.status == StatusCode::ACCEPTED,
            "{}: {body:?}",
            head.status
        );
        let answer: Value = serde_json::from_slice(&body)?;
        Ok(answer["id"].as_str().context("no id")?.to_owned())
    }
}

/// Selects the row of one of the latest orders.
fn row(id: &str) -> String {
    let encoded = id.replace('-', "%2D");
    format!("document.getElementById('latest-{encoded}').closest('tr')")
}

fn confirmed(id: &str) -> String {
    format!("{}.innerText.includes('confirmed')", row(id))
}

/// Whether an element in the page contains this text.
pub fn in_part(id: &str, text: &str) -> String {
    format!("document.getElementById('{id}').innerText.includes('{text}')")
}

pub async fn order(shop: &Shop) -> Result<()> {
    shop.watch().await?;
    let id = shop.place().await?;
    let listed = in_part("live-orders", &id);
    shop.browser.until(Duration::from_secs(1), &listed).await?;
    shop.browser.until(SOON, &confirmed(&id)).await?;

    // Its row, its message and its log are one click away.
    shop.browser
        .run(&format!("{}.querySelector('a').click()", row(&id)))
        .await?;
    shop.browser
        .until(SOON, &in_part("live-order", "received, 1× in all"))
        .await?;
    for text in [&id, "processed_at", "IngestFunction"] {
        shop.browser
            .until(SOON, &in_part("live-order", text))
            .await?;
    }
    Ok(())
}

pub async fn spike(shop: &Shop) -> Result<()> {
    shop.watch().await?;
    let figure =
        "Number(document.querySelector('.node.queue .figure b').innerText.replace(',', ''))";
    for (field, value) in [("rate", "150"), ("seconds", "8"), ("units", "100")] {
        shop.browser.fill(&format!("#spike-{field}"), value).await?;
    }
    shop.browser.click("#spike").await?;
    shop.browser
        .until(SOON, &in_part("live-spike", "orders sent"))
        .await?;
    shop.browser.until(SOON, &format!("{figure} > 100")).await?;
    let all = in_part(
        "live-spike",
        "1,200 of 1,200 orders sent, 1,200 accepted, 0 refused",
    );
    shop.browser.until(DRAINED, &all).await?;
    let over = in_part("live-spike", "its orders are off the queue");
    shop.browser.until(DRAINED, &over).await?;
    shop.browser.until(SOON, &format!("{figure} === 0")).await?;
    let known = in_part("live-spike", "1,200 know their outcome");
    shop.browser.until(KNOWN, &known).await
}

pub async fn dead_letter(shop: &Shop) -> Result<()> {
    shop.watch().await?;
    let id = shop.dead_order().await?;
    shop.browser
        .until(SOON, &in_part("live-dead-letters", "processing gave up"))
        .await?;
    let struck = "document.querySelector('.struck').innerText.includes('ValidationException')";
    shop.browser.until(SOON, struck).await?;

    shop.browser.click("#live-faults .in-force button").await?;
    shop.browser
        .until(SOON, &in_part("live-faults", "None is switched on"))
        .await?;
    shop.browser.until(SOON, LIVE).await?;
    shop.browser.click("#redrive").await?;
    shop.browser
        .until(SOON, &in_part("live-dead-letters", "None."))
        .await?;
    shop.browser.until(DRAINED, &confirmed(&id)).await
}

pub async fn no_script(shop: &Shop) -> Result<()> {
    let id = shop.place().await?;
    let off = |off: bool| {
        shop.browser.command(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": off}),
        )
    };
    off(true).await?;
    let seen = snapshot(shop, &id).await;
    off(false).await?;
    seen
}

async fn snapshot(shop: &Shop, id: &str) -> Result<()> {
    shop.open("/").await?;
    shop.browser.shows("#live-orders", id).await?;
    shop.browser.shows("#state", "As it was").await?;
    shop.browser.shows("noscript a", "Reload").await?;
    // A form is acted on, or the page explains why it can't be.
    shop.browser.fill("#spike-rate", "1").await?;
    shop.browser.fill("#spike-seconds", "1").await?;
    shop.browser.click("#spike").await?;
    let sent = "of 1 orders sent";
    shop.browser.shows("#live-spike", sent).await?;
    shop.browser.click("#faults summary").await?;
    shop.browser.fill("#refused-code", " ").await?;
    shop.browser.click("form:has(#refused-code) button").await?;
    let explained = "refused isn't switched on";
    shop.browser.shows("#faults .alert", explained).await
}

pub async fn keyboard(shop: &Shop) -> Result<()> {
    shop.watch().await?;
    shop.browser.press("", key::TAB).await?;
    ensure!(shop.browser.text(":focus").await? == "Skip to the numbers");
    shop.browser.press("", key::ENTER).await?;

    // Sends a spike of one order.
    shop.tab("", "#spike-rate").await?;
    for last in [key::TAB, key::ENTER] {
        shop.browser.press(key::CONTROL, "a").await?;
        shop.browser.press("", &format!("1{last}")).await?;
    }
    let sent = in_part("live-spike", "1 of 1 orders sent");
    shop.browser.until(SOON, &sent).await?;
    shop.browser.until(SOON, LIVE).await?;

    let id = shop.place().await?;
    shop.browser
        .until(SOON, &in_part("live-orders", &id))
        .await?;
    shop.tab("", "#live-orders a").await?;
    let focused = "return document.activeElement.id";
    let link = shop.browser.run(focused).await?;
    // The table is replaced when another order arrives; the focus stays on its link.
    let other = shop.place().await?;
    shop.browser
        .until(SOON, &in_part("live-orders", &other))
        .await?;
    ensure!(shop.browser.run(focused).await? == link);
    shop.browser.press("", key::ENTER).await?;
    shop.browser
        .until(SOON, &in_part("live-order", "received, 1× in all"))
        .await?;

    shop.browser.until(SOON, LIVE).await?;
    shop.tab(key::SHIFT, "#pause").await?;
    shop.browser.press("", " ").await?;
    ensure!(shop.browser.text("#state").await? == "Paused");
    let third = shop.place().await?;
    shop.browser.until(SOON, "'live-orders' in missed").await?;
    ensure!(!shop.browser.text("#live-orders").await?.contains(&third));
    shop.browser.press("", " ").await?;
    shop.browser
        .until(SOON, &in_part("live-orders", &third))
        .await
}
