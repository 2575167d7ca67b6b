//! Plays a function without a runtime: it speaks the Runtime API over plain sockets, so that its errors are our own.
//!
//! Its event makes it do these things, in this sequence: `say` a line, sleep (`sleep_ms`), `exit`, answer with an `error` or
//! with `size` bytes, or else with its environment, and `exit_after` that. For a batch from a queue it prints `batch N`, its
//! bodies, and the receive count of each redelivery, and fails those that are `bad`.

use anyhow::Context;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process,
    thread::sleep,
    time::Duration,
};

/// Serves invocations until the Runtime API is gone.
pub fn run(api: &str) -> anyhow::Result<()> {
    match env::var("INIT").as_deref() {
        Ok("exit") => {
            eprintln!("nothing works\n\nCaused by:\n    something");
            process::exit(1);
        }
        Ok("error") => {
            request(api, "POST", "init/error", r#"{"errorType":"Mine.Init"}"#)?;
            process::exit(1);
        }
        _ => {}
    }
    loop {
        let (id, event) = request(api, "GET", "invocation/next", "")?;
        let event: Value = serde_json::from_slice(&event)?;
        if let Some(line) = event["say"].as_str() {
            println!("{line}");
        }
        sleep(Duration::from_millis(
            event["sleep_ms"].as_u64().unwrap_or(0),
        ));
        if let Some(code) = event["exit"].as_i64() {
            process::exit(i32::try_from(code)?);
        }
        let id = id.context("no request id")?;
        if let Some(error) = event.get("error") {
            request(
                api,
                "POST",
                &format!("invocation/{id}/error"),
                &error.to_string(),
            )?;
            continue;
        }
        let answer = match (event["size"].as_u64(), event["Records"].as_array()) {
            (Some(size), _) => " ".repeat(usize::try_from(size)?),
            (None, Some(records)) => batch(records).to_string(),
            (None, None) => {
                let variables: BTreeMap<_, _> = env::vars().collect();
                json!({"pid": process::id(), "variables": variables}).to_string()
            }
        };
        // An answer that is too large may be refused while it is being sent.
        let _ = request(api, "POST", &format!("invocation/{id}/response"), &answer);
        if event["exit_after"] == true {
            process::exit(0);
        }
    }
}

fn batch(records: &[Value]) -> Value {
    println!("batch {}", records.len());
    let mut failures = Vec::new();
    for record in records {
        let body = record["body"].as_str().unwrap_or_default();
        println!("{body}");
        let receives = record["attributes"]["ApproximateReceiveCount"].as_str();
        if let Some(receives) = receives.filter(|receives| *receives != "1") {
            println!("receive {receives}");
        }
        match body {
            "bad" => failures.push(json!({"itemIdentifier": record["messageId"]})),
            "slow" => sleep(Duration::from_millis(200)),
            "deadly" => process::exit(1),
            _ => {}
        }
    }
    json!({"batchItemFailures": failures})
}

/// Sends one request on its own connection; returns the response's request id, if any, and its body.
fn request(
    api: &str,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<(Option<String>, Vec<u8>)> {
    let mut stream = TcpStream::connect(api)?;
    write!(
        stream,
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut response = BufReader::new(stream);
    let mut id = None;
    loop {
        let mut line = String::new();
        response.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("lambda-runtime-aws-request-id: ") {
            id = Some(value.trim().to_owned());
        }
    }
    let mut body = Vec::new();
    response.read_to_end(&mut body)?;
    Ok((id, body))
}
