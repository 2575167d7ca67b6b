//! Crashes processes with injected faults.

use super::{failure, faulty, invoke, running};
use local::{
    faults::{Crash, Faults, Injection, Kind},
    lambda::Lambda,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Starts a function that crashes in this way, at most this many times.
fn crashing(crash: Crash, times: u64) -> anyhow::Result<(Lambda, Arc<Faults>)> {
    let faults = Arc::new(Faults::default());
    let injection = Injection {
        times: Some(times),
        ..Injection::new(Kind::Function(crash))
    };
    faults.inject(injection, 1).for_good();
    Ok((faulty(1, None, &[], &faults)?, faults))
}

/// Checks how often the fault was counted.
fn counted(faults: &Faults, crash: Crash, times: u64) {
    let expected = [(format!("F {crash}"), times)];
    assert_eq!(faults.tally().counts(), expected.into());
}

pub async fn init() -> anyhow::Result<()> {
    let crash = Crash::KilledInInit(Duration::ZERO);
    let (lambda, faults) = crashing(crash, 2)?;
    for _ in 0..2 {
        let document = failure(&lambda, json!({})).await?;
        assert_eq!(document["errorType"], "Runtime.ExitError");
    }
    invoke(&lambda, json!({})).await?;
    counted(&faults, crash, 2);
    lambda.stop().await;
    Ok(())
}

pub async fn killed() -> anyhow::Result<()> {
    let crash = Crash::Killed(Duration::from_millis(200));
    let (lambda, faults) = crashing(crash, 1)?;
    let document = failure(&lambda, json!({"sleep_ms": 60_000})).await?;
    assert_eq!(document["errorType"], "Runtime.ExitError");
    let message = document["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("signal: 9"), "{message}");
    invoke(&lambda, json!({})).await?;
    counted(&faults, crash, 1);
    lambda.stop().await;
    Ok(())
}

pub async fn hung() -> anyhow::Result<()> {
    let crash = Crash::Hung(Duration::from_millis(200));
    let (lambda, faults) = crashing(crash, 1)?;
    // The function would answer in time.
    let document = failure(&lambda, json!({"sleep_ms": 400})).await?;
    assert_eq!(document["errorType"], "Sandbox.Timedout");
    invoke(&lambda, json!({"sleep_ms": 400})).await?;
    counted(&faults, crash, 1);
    lambda.stop().await;
    Ok(())
}

pub async fn garbage() -> anyhow::Result<()> {
    let (lambda, faults) = crashing(Crash::Garbage, 1)?;
    let answer = lambda.invoke("F", "{}".into()).await?;
    assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_err());
    invoke(&lambda, json!({})).await?;
    counted(&faults, Crash::Garbage, 1);
    lambda.stop().await;
    Ok(())
}

pub async fn clock() -> anyhow::Result<()> {
    let crash = Crash::KilledEvery(Duration::from_millis(100));
    let (lambda, faults) = crashing(crash, 2)?;
    for _ in 0..2 {
        let document = failure(&lambda, json!({"sleep_ms": 60_000})).await?;
        assert_eq!(document["errorType"], "Runtime.ExitError");
    }
    let last = invoke(&lambda, json!({"sleep_ms": 300})).await?;
    counted(&faults, crash, 2);
    lambda.stop().await;
    assert!(!running(&last["pid"]));
    Ok(())
}
