//! Runs `Lambda` with real processes: this binary is also the function that it runs.

mod crashes;
mod event_source;
mod function;
mod starts;

use anyhow::{Context, ensure};
use bytes::Bytes;
use libtest_mimic::{Arguments, Trial};
use local::{
    faults::Faults,
    lambda::{InvokeError, Lambda},
    template::model::Function,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime;

fn main() -> anyhow::Result<()> {
    if let Ok(api) = env::var("AWS_LAMBDA_RUNTIME_API") {
        return function::run(&api);
    }
    libtest_mimic::run(
        &Arguments::from_args(),
        vec![
            fact("an_idle_environment_is_used_again", used_again),
            fact("a_function_has_lambdas_environment", environment),
            fact(
                "concurrent_invocations_have_their_own_processes",
                concurrent,
            ),
            fact("a_function_goes_by_its_alias", alias),
            fact("more_than_the_reserved_concurrency_is_throttled", throttled),
            fact("an_invocation_past_its_timeout_is_killed", timed_out),
            fact("a_process_that_exits_fails_its_invocation_at_once", exited),
            fact(
                "an_answer_counts_even_if_the_process_exits_after_it",
                answered_and_exited,
            ),
            fact("an_error_and_a_response_too_large_fail", failed),
            fact("an_invocation_goes_on_when_its_caller_goes_away", abandoned),
            fact(
                "a_function_that_dies_at_start_is_named_with_its_last_line",
                starts::died,
            ),
            fact(
                "an_init_error_is_the_answer_of_the_invocation",
                starts::init_error,
            ),
            fact("stop_ends_what_is_running", starts::stopped),
            fact("a_process_is_killed_in_its_init", crashes::init),
            fact("a_process_is_killed_during_an_invocation", crashes::killed),
            fact(
                "a_process_that_hangs_is_killed_for_its_timeout",
                crashes::hung,
            ),
            fact("an_answer_is_replaced_by_garbage", crashes::garbage),
            fact(
                "processes_that_work_are_killed_by_the_clock",
                crashes::clock,
            ),
            fact("a_message_meets_its_fate_on_the_way", event_source::fates),
            fact(
                "a_batch_is_what_comes_within_its_window",
                event_source::window,
            ),
            fact(
                "only_the_messages_that_failed_come_back",
                event_source::failures,
            ),
            fact(
                "a_failed_invocation_brings_its_batch_back",
                event_source::failed_batch,
            ),
            fact(
                "no_more_batches_than_the_maximum_are_in_flight",
                event_source::cap,
            ),
            fact(
                "a_message_stays_on_the_queue_until_its_batch_may_be_in_flight",
                event_source::held_back,
            ),
        ],
    )
    .exit()
}

fn fact<F>(name: &str, test: fn() -> F) -> Trial
where
    F: Future<Output = anyhow::Result<()>> + 'static,
{
    Trial::test(name, move || {
        let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(test())?;
        Ok(())
    })
}

/// A function `F` that times out after `seconds`.
fn lambda(
    seconds: u64,
    reserved: Option<usize>,
    variables: &[(&str, &str)],
) -> anyhow::Result<Lambda> {
    faulty(seconds, reserved, variables, &Arc::default())
}

fn faulty(
    seconds: u64,
    reserved: Option<usize>,
    variables: &[(&str, &str)],
    faults: &Arc<Faults>,
) -> anyhow::Result<Lambda> {
    let function = Function {
        name: "f".to_owned(),
        alias: Some("live".to_owned()),
        package: "local".to_owned(),
        binary: "lambda".to_owned(),
        timeout: Duration::from_secs(seconds),
        memory_size: 128,
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        reserved_concurrency: reserved,
        event_sources: Vec::new(),
        role: None,
        log_group: None,
    };
    let functions = BTreeMap::from([("F".to_owned(), function)]);
    let executables = BTreeMap::from([("F".to_owned(), env::current_exe()?)]);
    let services = "http://127.0.0.1:9";
    Lambda::new(&functions, &executables, services, 16, false, faults)
}

async fn invoke(lambda: &Lambda, event: Value) -> anyhow::Result<Value> {
    let answer = lambda.invoke("F", event.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// The error document of an invocation that must fail.
async fn failure(lambda: &Lambda, event: Value) -> anyhow::Result<Value> {
    match lambda.invoke("F", event.to_string().into()).await {
        Err(InvokeError::Failed(document)) => Ok(serde_json::from_slice(&document)?),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn alias() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[])?;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
    for name in [
        "F",
        "f",
        "F:live",
        "f:live",
        "f:$LATEST",
        arn,
        &format!("{arn}:live"),
        &format!("{arn}:$LATEST"),
    ] {
        assert_eq!(lambda.logical_id(name), Some("F"), "{name}");
    }
    for name in ["f:", "f:other", "flive", "g", "f:live:live", ""] {
        assert_eq!(lambda.logical_id(name), None, "{name}");
    }
    Ok(())
}

async fn used_again() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[])?;
    let first = invoke(&lambda, json!({})).await?;
    for _ in 0..20 {
        assert_eq!(invoke(&lambda, json!({})).await?["pid"], first["pid"]);
    }
    assert_eq!(lambda.peak_concurrency("F"), 1);
    lambda.stop().await;
    Ok(())
}

async fn environment() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[("MINE", "1"), ("TZ", "Z")])?;
    let variables = &invoke(&lambda, json!({})).await?["variables"];
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_ACCESS_KEY_ID", "F"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_REGION", "us-east-1"),
        ("MINE", "1"),
        ("TZ", "Z"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    assert!(variables["HOME"].is_null());
    lambda.stop().await;
    Ok(())
}

async fn concurrent() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[])?;
    let event = json!({"sleep_ms": 300});
    let answers = tokio::try_join!(invoke(&lambda, event.clone()), invoke(&lambda, event))?;
    assert_ne!(answers.0["pid"], answers.1["pid"]);
    assert_eq!(lambda.peak_concurrency("F"), 2);
    lambda.stop().await;
    Ok(())
}

async fn throttled() -> anyhow::Result<()> {
    let lambda = lambda(10, Some(1), &[])?;
    let (first, second) = tokio::join!(
        lambda.invoke("F", Bytes::from_static(b"{}")),
        lambda.invoke("F", Bytes::from_static(b"{}")),
    );
    first?;
    assert!(matches!(second, Err(InvokeError::Throttled)));
    invoke(&lambda, json!({})).await?;
    lambda.stop().await;
    Ok(())
}

async fn timed_out() -> anyhow::Result<()> {
    let lambda = lambda(1, None, &[])?;
    let first = invoke(&lambda, json!({})).await?;
    let document = failure(&lambda, json!({"sleep_ms": 60_000})).await?;
    assert_eq!(document["errorType"], "Sandbox.Timedout");
    let message = document["errorMessage"].as_str().context("no message")?;
    ensure!(
        message.ends_with("Task timed out after 1.00 seconds"),
        "{message}"
    );
    ensure!(!running(&first["pid"]), "the process is still there");
    assert_ne!(invoke(&lambda, json!({})).await?["pid"], first["pid"]);
    lambda.stop().await;
    Ok(())
}

async fn exited() -> anyhow::Result<()> {
    let lambda = lambda(60, None, &[])?;
    let start = Instant::now();
    let document = failure(&lambda, json!({"exit": 3})).await?;
    assert_eq!(document["errorType"], "Runtime.ExitError");
    let message = document["errorMessage"].as_str().context("no message")?;
    ensure!(
        message.ends_with("Runtime exited with error: exit status: 3"),
        "{message}"
    );
    ensure!(start.elapsed() < Duration::from_secs(30));
    invoke(&lambda, json!({})).await?;
    lambda.stop().await;
    Ok(())
}

async fn answered_and_exited() -> anyhow::Result<()> {
    let lambda = lambda(60, None, &[])?;
    let first = invoke(&lambda, json!({"exit_after": true})).await?;
    let second = invoke(&lambda, json!({})).await?;
    assert_ne!(first["pid"], second["pid"]);
    lambda.stop().await;
    Ok(())
}

async fn failed() -> anyhow::Result<()> {
    let lambda = lambda(10, None, &[])?;
    let document = failure(&lambda, json!({"error": {"errorType": "Mine"}})).await?;
    assert_eq!(document, json!({"errorType": "Mine"}));
    let document = failure(&lambda, json!({"size": 6_291_557})).await?;
    assert_eq!(document["errorType"], "Function.ResponseSizeTooLarge");
    let answer = lambda
        .invoke("F", json!({"size": 6_291_556}).to_string().into())
        .await?;
    assert_eq!(answer.len(), 6_291_556);
    lambda.stop().await;
    Ok(())
}

async fn abandoned() -> anyhow::Result<()> {
    let lambda = lambda(10, Some(1), &[])?;
    let invocation = invoke(&lambda, json!({"sleep_ms": 300, "say": "done"}));
    assert!(
        tokio::time::timeout(Duration::from_millis(1), invocation)
            .await
            .is_err()
    );
    while !lambda.log_lines("F").contains(&"done".to_owned()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lambda.stop().await;
    Ok(())
}

/// Whether a process exists, even as a zombie.
fn running(pid: &Value) -> bool {
    std::process::Command::new("kill")
        .args(["-0", &pid.to_string()])
        .output()
        .is_ok_and(|output| output.status.success())
}
