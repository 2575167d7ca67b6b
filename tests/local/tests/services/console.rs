//! The console over HTTP: it shows what exists, admits no outside page, and shows everything as text.

mod fixture;

use anyhow::{Context, Result, ensure};
use fixture::{Fixture, HOSTILE};
use http_body_util::BodyExt;
use hyper::{Method, StatusCode, header};
use local::sqs::url;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn the_page_needs_no_script_and_allows_none_but_its_own() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, headers, page) = fixture.get("/").await?;
    ensure!(status == StatusCode::OK, "{status}");
    let policy = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.context("no policy")?.to_str()?;
    ensure!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for part in [
        "System",
        "Orders a second",
        "Latest orders",
        "Stock",
        "Dead letters",
        "killed_every",
    ] {
        ensure!(page.contains(part), "no {part} in {page}");
    }
    // A style or a handler in an element would be refused.
    ensure!(
        !page.contains(" style=") && !page.contains(" onclick="),
        "{page}"
    );
    for path in ["/.console/style.css", "/.console/script.js"] {
        ensure!(page.contains(path), "{page}");
        let (status, _, _) = fixture.get(path).await?;
        ensure!(status == StatusCode::OK, "{path}: {status}");
    }
    Ok(())
}

#[tokio::test]
async fn whatever_a_client_sends_stays_text() -> Result<()> {
    let fixture = Fixture::start().await?;
    let text = |text: &str| json!({"S": text});
    fixture.order("OrdersQueue", HOSTILE).await?;
    fixture.order("OrdersDeadLetterQueue", HOSTILE).await?;
    let row = json!({
        "id": text(HOSTILE), "status": text(HOSTILE), "reason": text(HOSTILE),
        "processed_at": text("2026-11-27T00:00:00Z"),
    });
    fixture.put("OrdersTable", row).await?;
    let article = json!({"sku": text(HOSTILE), "in_stock": {"N": "7"}});
    fixture.put("ArticlesTable", article).await?;

    let encoded = utf8_percent_encode(HOSTILE, NON_ALPHANUMERIC);
    let (_, _, whole) = fixture.get("/").await?;
    let (_, _, one) = fixture.get(&format!("/?order={encoded}")).await?;
    let bad = format!("fault={encoded}&code={encoded}");
    let (_, _, refused) = fixture.post("/.console/faults/on", &bad).await?;
    for page in [&whole, &one, &refused] {
        ensure!(
            page.contains("&lt;script&gt;alert(1)"),
            "it isn't shown: {page}"
        );
        ensure!(
            page.matches("<script").count() == 1 && !page.contains("<img"),
            "{page}"
        );
        // The text of a row's status doesn't become a class.
        ensure!(!page.contains(&format!("status {HOSTILE}")), "{page}");
    }
    ensure!(
        one.contains("<h3>Row</h3>") && one.contains("<h3>Message</h3>"),
        "{one}"
    );
    ensure!(one.contains("<h3>Path</h3>"), "{one}");
    Ok(())
}

#[tokio::test]
async fn no_other_page_is_admitted() -> Result<()> {
    let fixture = Fixture::start().await?;
    let host = fixture.page.trim_start_matches("http://");
    let paths = [
        (Method::GET, "/"),
        (Method::GET, "/.console/style.css"),
        (Method::GET, "/.console/script.js"),
        (Method::GET, "/.console/events"),
        (Method::POST, "/.console/redrive"),
        (Method::POST, "/.console/faults/on"),
        (Method::POST, "/.console/faults/off"),
        (Method::POST, "/.console/spike"),
    ];
    for (method, path) in paths {
        for stranger in [
            [("host", "evil.example"), ("accept", "*/*")],
            [("host", host), ("origin", "http://evil.example")],
            [("host", host), ("origin", "null")],
            [("host", host), ("sec-fetch-site", "cross-site")],
        ] {
            let form = "fault=overtaken&rate=1";
            let answer = fixture.send(method.clone(), path, &stranger, form).await?;
            ensure!(
                answer.status() == StatusCode::FORBIDDEN,
                "{path} for {stranger:?}"
            );
        }
    }
    ensure!(fixture.faults.injections().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_fault_is_switched_on_and_off_and_a_bad_one_is_explained() -> Result<()> {
    let fixture = Fixture::start().await?;
    let form = "fault=refused&call=SendMessage&code=ServiceUnavailable&rate=0.5&number=";
    let (status, headers, _) = fixture.post("/.console/faults/on", form).await?;
    ensure!(status == StatusCode::SEE_OTHER && headers[header::LOCATION] == "/#faults");
    let (_, _, page) = fixture.get("/").await?;
    ensure!(
        page.contains("SendMessage refused: ServiceUnavailable, 50 %"),
        "{page}"
    );
    let [(number, _)] = fixture.faults.injections()[..] else {
        anyhow::bail!("not one fault")
    };
    let (status, _, _) = fixture
        .post("/.console/faults/off", &format!("number={number}"))
        .await?;
    ensure!(status == StatusCode::SEE_OTHER && fixture.faults.injections().is_empty());

    for (path, form, reason) in [
        ("faults/off", "number=77", "That fault was off already."),
        ("faults/off", "", "That fault was off already."),
        (
            "faults/on",
            "fault=refused&rate=2&code=A",
            "a number from 0 to 1 is expected",
        ),
        ("faults/on", "fault=refused&rate=1", "code"),
        ("faults/on", "fault=nothing", "no such fault"),
        ("faults/on", "", "fault"),
        (
            "faults/on",
            "fault=killed&function=Unknown&seconds=1",
            "no function Unknown",
        ),
        (
            "faults/on",
            "fault=cut_off&call=DropTable",
            "no such operation",
        ),
        (
            "spike",
            "rate=0&seconds=1&units=10",
            "rate must be a whole number from 1 to 2000.",
        ),
        (
            "spike",
            "rate=9&seconds=121&units=10",
            "seconds must be a whole number from 1 to 120.",
        ),
        (
            "spike",
            "rate=9&seconds=9&units=9.5",
            "units must be a whole number from 10 to 100000.",
        ),
        ("spike", "", "rate must be"),
    ] {
        let (status, _, page) = fixture.post(&format!("/.console/{path}"), form).await?;
        ensure!(
            status == StatusCode::UNPROCESSABLE_ENTITY,
            "{form}: {status}"
        );
        let alert = page.split("role=\"alert\"").nth(1).context("no alert")?;
        let alert = alert.split("</p>").next().unwrap_or_default();
        ensure!(alert.contains(reason), "{form}: {alert}");
    }
    ensure!(fixture.faults.injections().is_empty());
    Ok(())
}

#[tokio::test]
async fn dead_letters_are_redriven_and_shown_with_their_reason() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.order("OrdersDeadLetterQueue", "queued").await?;
    fixture.order("OrdersDeadLetterQueue", "failed").await?;
    let row = json!({"id": {"S": "failed"}, "status": {"S": "failed"}});
    fixture.put("OrdersTable", row).await?;
    let (_, _, page) = fixture.get("/").await?;
    for reason in ["it has no row", "processing gave up"] {
        ensure!(page.contains(reason), "no {reason} in {page}");
    }
    // They were sent directly to the dead-letter queue, so they have no source.
    let (status, _, page) = fixture.post("/.console/redrive", "").await?;
    ensure!(
        status == StatusCode::UNPROCESSABLE_ENTITY,
        "{status}: {page}"
    );
    ensure!(page.contains("CouldNotDetermineMessageSource"), "{page}");

    let queue = |name: &str| json!({"QueueUrl": url(&fixture.services, name)});
    let purge = queue("OrdersDeadLetterQueue");
    fixture.call("AmazonSQS.PurgeQueue", &purge).await?;
    fixture.order("OrdersQueue", "received-too-often").await?;
    let mut receive = queue("OrdersQueue");
    receive["VisibilityTimeout"] = 0.into();
    // One more than the template's MaxReceiveCount.
    for _ in 0..=25 {
        fixture.call("AmazonSQS.ReceiveMessage", &receive).await?;
    }
    let (_, _, page) = fixture.get("/").await?;
    let letters = page.split("id=\"dead-title\"").nth(1).unwrap_or_default();
    ensure!(letters.contains("received-too-often"), "{letters}");
    let (status, headers, page) = fixture.post("/.console/redrive", "").await?;
    ensure!(status == StatusCode::SEE_OTHER, "{status}: {page}");
    ensure!(headers[header::LOCATION] == "/#dead-letters");
    let (_, _, page) = fixture.get("/").await?;
    let letters = page.split("id=\"dead-title\"").nth(1).unwrap_or_default();
    ensure!(letters.contains("<p>None.</p>"), "{letters}");
    Ok(())
}

#[tokio::test]
async fn what_changes_is_sent_within_a_second() -> Result<()> {
    let fixture = Fixture::start().await?;
    let live = fixture
        .send(Method::GET, "/.console/events", &[], "")
        .await?;
    ensure!(live.headers()[header::CONTENT_TYPE] == "text/event-stream");
    let mut live = live.into_body();
    let mut heard = String::new();
    let mut hear = async |text: &str| {
        while !heard.contains(text) {
            let frame = live.frame().await.context("it ended")??;
            heard += std::str::from_utf8(frame.data_ref().context("no data")?)?;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(5), hear("No order since")).await??;
    fixture.order("OrdersQueue", "a-new-order").await?;
    timeout(Duration::from_secs(1), hear("a-new-order")).await??;
    Ok(())
}

#[tokio::test]
async fn a_spike_takes_the_tables_limit_from_one_that_still_drains() -> Result<()> {
    let fixture = Fixture::start().await?;
    // The message keeps the queue from being drained.
    fixture.order("OrdersQueue", "waiting").await?;
    let spike = async |units: u32| {
        let form = format!("rate=1&seconds=1&units={units}");
        let started = async {
            while fixture.post("/.console/spike", &form).await?.0 != StatusCode::SEE_OTHER {}
            anyhow::Ok(())
        };
        timeout(Duration::from_secs(20), started).await?
    };
    // A single row costs one write unit; ten are available at the start, and ten more each second.
    let takes_all = async || {
        for _ in 0..40 {
            let row = json!({"id": {"S": "a"}});
            if fixture.put("OrdersTable", row).await.is_err() {
                return false;
            }
        }
        true
    };
    spike(10).await?;
    ensure!(!takes_all().await);
    spike(100_000).await?;
    let replaced = async { while !takes_all().await {} };
    timeout(Duration::from_secs(20), replaced).await?;
    Ok(())
}
