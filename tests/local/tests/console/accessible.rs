//! Checks the page with axe-core, and takes screenshots.

use crate::{
    Shop,
    browser::Browser,
    scenes::{DRAINED, LIVE, SOON, in_part},
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The page's schemes and its widths in pixels.
const LOOKS: [(&str, u32); 4] = [
    ("light", 1100),
    ("dark", 1100),
    ("light", 360),
    ("dark", 360),
];

/// The file `axe.min.js`, if `AXE` names it.
pub fn axe() -> Option<PathBuf> {
    env::var_os("AXE").map(PathBuf::from)
}

/// Checks a page with orders and a spike that drains, and then one on which everything has failed.
pub async fn check(shop: &Shop) -> Result<()> {
    let axe = fs::read_to_string(axe().context("AXE names no file")?)?;
    let pictures = env::var_os("SCREENSHOTS").map(PathBuf::from);
    let browser = &shop.browser;
    browser.resize(1280, 900).await?;
    shop.watch().await?;
    for (field, value) in [("rate", "200"), ("seconds", "15"), ("units", "200")] {
        browser.fill(&format!("#spike-{field}"), value).await?;
    }
    browser.click("#spike").await?;
    let drains = "document.getElementById('live-spike').innerText.includes('the queue drains')";
    browser.until(Duration::from_mins(2), drains).await?;
    // Drains some of the backlog, so that the wall has an end in the picture, and the line continues.
    let waiting = "Number(document.querySelector('.legend .waiting b').innerText.replace(',', ''))";
    let some = format!("{waiting} < 700");
    browser.until(Duration::from_mins(1), &some).await?;

    for (scheme, width) in LOOKS {
        browser.prefer(scheme).await?;
        browser.resize(width, 900).await?;
        let wide = browser
            .run("return document.documentElement.scrollWidth")
            .await?;
        ensure!(
            wide.as_u64() <= Some(width.into()),
            "{width} pixels are too few: {wide}"
        );
        violations(browser, &axe, &format!("{scheme}, {width} pixels")).await?;
        if let Some(folder) = &pictures {
            picture(
                browser,
                width,
                &folder.join(format!("console-{scheme}-{width}.png")),
            )
            .await?;
        }
    }
    browser.resize(1280, 900).await?;
    wrong(shop, &axe).await
}

/// Checks a dead order and all that is known about it, a fault in force, the forms of all faults, and a refusal.
async fn wrong(shop: &Shop, axe: &str) -> Result<()> {
    let browser = &shop.browser;
    let over = in_part("live-spike", "its orders are off the queue");
    browser.until(DRAINED, &over).await?;
    let id = shop.dead_order().await?;
    shop.open(&format!("/?order={id}")).await?;
    browser.until(SOON, LIVE).await?;
    browser
        .until(SOON, &in_part("live-order", "received, 2× in all"))
        .await?;
    browser
        .until(SOON, &in_part("live-dead-letters", &id))
        .await?;
    browser.click("#faults summary").await?;
    everywhere(browser, axe, "a dead order").await?;
    browser.fill("#refused-code", " ").await?;
    browser.click("form:has(#refused-code) button").await?;
    browser
        .shows("#faults .alert", "refused isn't switched on")
        .await?;
    everywhere(browser, axe, "a refusal").await
}

async fn everywhere(browser: &Browser, axe: &str, what: &str) -> Result<()> {
    for (scheme, width) in LOOKS {
        browser.prefer(scheme).await?;
        browser.resize(width, 900).await?;
        violations(browser, axe, &format!("{what}, {scheme}, {width} pixels")).await?;
    }
    browser.resize(1280, 900).await
}

async fn violations(browser: &Browser, axe: &str, what: &str) -> Result<()> {
    let script = format!(
        "{axe};\nconst done = arguments[arguments.length - 1];\
        axe.run(document).then((found) => done({{violations: found.violations, passes: found.passes.length}}), \
        (error) => done(String(error)));"
    );
    let found = browser.run_async(&script).await?;
    let passes = found["passes"].as_u64().unwrap_or_default();
    ensure!(passes > 10, "axe checked only {passes} rules: {found}");
    let violations = found["violations"].as_array().context("no list")?;
    let described = violations.iter().map(|violation| {
        let nodes = violation["nodes"].as_array().into_iter().flatten();
        let nodes: Vec<_> = nodes
            .map(|node| node["html"].as_str().unwrap_or_default())
            .collect();
        format!("{}: {nodes:?}", violation["help"])
    });
    let described: Vec<_> = described.collect();
    ensure!(described.is_empty(), "{what}: {described:#?}");
    Ok(())
}

/// Takes a screenshot of the upper part of the page.
async fn picture(browser: &Browser, width: u32, file: &Path) -> Result<()> {
    let height = if width > 600 { 1030 } else { 1250 };
    browser.resize(width, height).await?;
    browser.run("scrollTo(0, 0)").await.map(|_: Value| ())?;
    fs::write(file, browser.screenshot().await?).with_context(|| file.display().to_string())
}
