//! Does what the page's buttons ask for. Each action answers with the page: on success by a redirect, otherwise with the
//! reason.

use super::{Console, form::Form, page};
use crate::{
    faults::file::Plan,
    sqs::{Head, arn},
};
use axum::{
    body::to_bytes,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The fields of a fault's form.
const OF_FAULTS: [&str; 7] = [
    "fault", "call", "function", "code", "seconds", "receives", "rate",
];

/// Sends every dead letter back to its queue.
pub async fn redrive(State(console): State<Arc<Console>>) -> Response {
    let source = json!({"SourceArn": arn(&console.system.dead_letters)});
    let started = call(&console, "StartMessageMoveTask", &source).await;
    // By now all of them have moved, or the task has failed.
    let task = match started {
        Ok(_) => call(&console, "ListMessageMoveTasks", &source).await,
        Err(reason) => Err(reason),
    };
    let failed = match &task {
        Ok(task) => task["Results"][0]["FailureReason"].as_str(),
        Err(reason) => Some(reason.as_str()),
    };
    match failed {
        None => done("dead-letters"),
        Some(reason) => {
            let reason = format!("Not all dead letters were redriven: {reason}");
            refused(&console, "dead-letters", &reason)
        }
    }
}

/// Calls SQS; the error is its message.
async fn call(console: &Console, operation: &str, request: &Value) -> Result<Value, String> {
    let answer = console
        .sqs
        .handle(&Head::default(), operation, request.to_string().into())
        .await;
    let is_done = answer.status().is_success();
    let body = to_bytes(answer.into_body(), 1 << 20).await;
    let body: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    if is_done {
        return Ok(body);
    }
    let message = body["message"].as_str();
    Err(message.unwrap_or("SQS returned no reason.").to_owned())
}

/// Switches on a fault, parsed as `--faults` parses it.
pub async fn switch_on(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    let form = Form::read(&body);
    let own = form
        .0
        .iter()
        .filter(|(name, _)| OF_FAULTS.contains(&name.as_str()));
    let fault: Map<_, _> = own
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let name = form.get("fault").to_owned();
    let plan = Plan::read(&json!({"faults": [fault]}).to_string());
    let plan = plan.and_then(|plan| {
        let functions = console.system.functions.iter().map(String::as_str);
        plan.check(&functions.collect())?;
        Ok(plan)
    });
    match plan {
        Ok(plan) => {
            for rule in plan.inject(&console.faults) {
                rule.for_good();
            }
            done("faults")
        }
        Err(error) => {
            // The parser sees a file of one line, whose number means nothing here.
            let error = format!("{error:#}");
            let reason = error.strip_prefix("line 1: ").unwrap_or(&error);
            let reason = reason.strip_prefix("faults[0].").unwrap_or(reason);
            refused(
                &console,
                "faults",
                &format!("{name} isn't switched on: {reason}."),
            )
        }
    }
}

/// Switches off a fault.
pub async fn switch_off(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    let number = Form::read(&body).get("number").parse().ok();
    if number.is_some_and(|number| console.faults.lift(number)) {
        return done("faults");
    }
    refused(&console, "faults", "That fault was off already.")
}

/// Starts a spike.
pub async fn start_spike(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    match console.start(&Form::read(&body)) {
        Ok(()) => done("load"),
        Err(reason) => refused(&console, "load", &format!("No spike is sent: {reason}")),
    }
}

/// Redirects to this part of the page. A reload then repeats nothing.
fn done(part: &str) -> Response {
    let location = format!("/#{part}");
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

fn refused(console: &Arc<Console>, part: &'static str, reason: &str) -> Response {
    let page = page::render(console, &Form::default(), Some((part, reason)));
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}
