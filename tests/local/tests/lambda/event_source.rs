//! Tests the event source mapping, from a real queue to a real process.

use anyhow::Context;
use http_body_util::BodyExt;
use local::{
    event_source::Mapping,
    faults::{Delivery, Faults, Injection, Kind},
    lambda::Lambda,
    sqs::{Head, Sqs, url},
    template::model::{EventSource, Queue},
};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const ENDPOINT: &str = "http://127.0.0.1:9";

struct Fixture {
    sqs: Sqs,
    lambda: Arc<Lambda>,
    faults: Arc<Faults>,
    mapping: JoinSet<()>,
}

impl Fixture {
    /// Makes a mapping from a queue that hides messages for three seconds, and puts these messages on it.
    async fn start(
        batch_size: usize,
        window_ms: u64,
        cap: usize,
        bodies: &[&str],
    ) -> anyhow::Result<Self> {
        let sqs = Sqs::open(None, ENDPOINT)?;
        sqs.create(&Queue {
            name: "q".to_owned(),
            visibility_timeout: Duration::from_secs(3),
            retention: Duration::from_mins(10),
            delay: Duration::ZERO,
            maximum_message_size: 1 << 20,
            receive_wait: Duration::ZERO,
            redrive: None,
        })?;
        let mut fixture = Self {
            sqs,
            lambda: Arc::new(super::lambda(10, None, &[])?),
            faults: Arc::default(),
            mapping: JoinSet::new(),
        };
        for body in bodies {
            fixture.send(body).await;
        }
        let mapping = Mapping {
            source: EventSource {
                queue: "Queue".to_owned(),
                batch_size,
                window: Duration::from_millis(window_ms),
                maximum_concurrency: Some(cap),
                report_batch_item_failures: true,
            },
            queue: "q".to_owned(),
            function: "F".to_owned(),
            sqs: fixture.sqs.clone(),
            lambda: fixture.lambda.clone(),
            faults: fixture.faults.clone(),
            observer: Arc::default(),
        };
        fixture.mapping.spawn(mapping.run());
        Ok(fixture)
    }

    async fn send(&self, body: &str) {
        let message = json!({"QueueUrl": url(ENDPOINT, "q"), "MessageBody": body});
        let sent = self
            .sqs
            .handle(&Head::default(), "SendMessage", message.to_string().into())
            .await;
        assert_eq!(sent.status(), 200);
    }

    /// Counts the messages that were received but not deleted.
    async fn in_flight(&self) -> anyhow::Result<usize> {
        let name = "ApproximateNumberOfMessagesNotVisible";
        let request = json!({"QueueUrl": url(ENDPOINT, "q"), "AttributeNames": [name]});
        let answer = self
            .sqs
            .handle(
                &Head::default(),
                "GetQueueAttributes",
                request.to_string().into(),
            )
            .await;
        let body = answer.into_body().collect().await?.to_bytes();
        let answer: Value = serde_json::from_slice(&body)?;
        let count = answer["Attributes"][name].as_str().context("no count")?;
        Ok(count.parse()?)
    }

    fn count(&self, line: &str) -> usize {
        let lines = self.lambda.log_lines("F");
        lines.iter().filter(|said| *said == line).count()
    }

    /// Waits until the function has written a line this many times.
    async fn said(&self, line: &str, times: usize) {
        while self.count(line) < times {
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(mut self) {
        self.mapping.shutdown().await;
        self.lambda.stop().await;
    }
}

pub async fn window() -> anyhow::Result<()> {
    let fixture = Fixture::start(3, 1000, 2, &["a", "b", "c", "d"]).await?;
    // The first batch is full; this message arrives while the second is being filled.
    fixture.said("batch 3", 1).await;
    fixture.send("e").await;
    fixture.said("batch 2", 1).await;
    for body in ["a", "b", "c", "d", "e"] {
        fixture.said(body, 1).await;
    }
    fixture.stop().await;
    Ok(())
}

pub async fn failures() -> anyhow::Result<()> {
    let fixture = Fixture::start(10, 0, 2, &["good", "bad", "fine"]).await?;
    fixture.said("bad", 2).await;
    assert_eq!((fixture.count("good"), fixture.count("fine")), (1, 1));
    fixture.stop().await;
    Ok(())
}

pub async fn failed_batch() -> anyhow::Result<()> {
    let fixture = Fixture::start(10, 0, 2, &["good", "deadly"]).await?;
    fixture.said("good", 2).await;
    fixture.stop().await;
    Ok(())
}

pub async fn fates() -> anyhow::Result<()> {
    let fixture = Fixture::start(10, 0, 2, &[]).await?;
    let rules: Vec<_> = [
        ("twice", Delivery::Twice(Duration::ZERO)),
        ("late", Delivery::Late(Duration::from_millis(300))),
        // The receive count jumps, and the function sees that.
        ("counted", Delivery::Received(7)),
    ]
    .into_iter()
    .map(|(body, delivery)| {
        let injection = Injection {
            containing: Some(body.to_owned()),
            times: Some(1),
            ..Injection::new(Kind::Message(delivery))
        };
        fixture.faults.inject(injection, 1)
    })
    .collect();
    let start = Instant::now();
    for body in ["twice", "late", "counted"] {
        fixture.send(body).await;
    }
    fixture.said("twice", 2).await;
    fixture.said("late", 1).await;
    assert!(start.elapsed() >= Duration::from_millis(300));
    fixture.said("receive 8", 1).await;
    while fixture.in_flight().await? > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((fixture.count("late"), fixture.count("twice")), (1, 2));
    drop(rules);
    fixture.stop().await;
    Ok(())
}

pub async fn cap() -> anyhow::Result<()> {
    let fixture = Fixture::start(1, 0, 2, &["slow"; 6]).await?;
    fixture.said("slow", 6).await;
    assert_eq!(fixture.lambda.peak_concurrency("F"), 2);
    fixture.stop().await;
    Ok(())
}

pub async fn held_back() -> anyhow::Result<()> {
    let fixture = Fixture::start(1, 0, 2, &["slow"; 6]).await?;
    while fixture.count("slow") < 6 {
        let received = fixture.in_flight().await?;
        assert!(received <= 2, "{received} messages are received");
        sleep(Duration::from_millis(5)).await;
    }
    fixture.stop().await;
    Ok(())
}
