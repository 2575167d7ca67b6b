//! Tests functions that don't start, and functions that are stopped.

use super::{failure, invoke, lambda, running};
use anyhow::{Context, ensure};
use bytes::Bytes;
use local::lambda::InvokeError;
use serde_json::json;
use std::{sync::Arc, time::Duration};

pub async fn died() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[("INIT", "exit")])?;
    let error = lambda.start().await.err().context("it started")?;
    assert_eq!(error.to_string(), "function F died at start: nothing works");
    Ok(())
}

pub async fn init_error() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[("INIT", "error")])?;
    let document = failure(&lambda, json!({})).await?;
    assert_eq!(document, json!({"errorType": "Mine.Init"}));
    Ok(())
}

pub async fn stopped() -> anyhow::Result<()> {
    let lambda = Arc::new(lambda(60, None, &[])?);
    let pid = invoke(&lambda, json!({})).await?["pid"].clone();
    let busy = lambda.clone();
    let invocation =
        tokio::spawn(
            async move { failure(&busy, json!({"say": "busy", "sleep_ms": 60_000})).await },
        );
    while !lambda.log_lines("F").contains(&"busy".to_owned()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lambda.stop().await;
    ensure!(!running(&pid), "the process is still there");
    assert_eq!(invocation.await??["errorType"], "Sandbox.Stopped");
    let after = lambda.invoke("F", Bytes::new()).await;
    assert!(matches!(after, Err(InvokeError::Throttled)));
    Ok(())
}
