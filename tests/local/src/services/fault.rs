//! Answers calls that meet a fault.

use super::{EVENTS, REQUEST_LIMIT, SQS, Services, operation, text};
use crate::faults::Fault;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::{HeaderMap, Response, StatusCode, http::request::Parts};
use serde_json::{Value, json};
use std::{io, time::Duration};
use tokio::time::sleep;

/// Longer than it takes to kill a process.
const KILLED: Duration = Duration::from_secs(5);

impl Services {
    /// Does what the fault leaves of a call. An error cuts the connection.
    pub(super) async fn fail(
        self,
        fault: Fault,
        head: Parts,
        body: Bytes,
    ) -> io::Result<Response<Body>> {
        match fault {
            Fault::Refuse { status, code, body } => Ok(refusal(&head, status, &code, body)),
            Fault::Partial { entries, code } => {
                if operation(&head).is_some_and(|(service, _)| service == EVENTS) {
                    self.put_partly(head, &body, &entries, code.as_deref())
                        .await
                } else {
                    self.answer_partly(head, &body, &entries, code.as_deref())
                        .await
                }
            }
            // These run in their own tasks, which continue when the caller closes the connection.
            Fault::Unanswered => {
                drop(tokio::spawn(async move { self.answer(head, body).await }).await);
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fault::Late(delay) => tokio::spawn(async move {
                sleep(delay).await;
                self.answer(head, body).await
            })
            .await
            .map_err(io::Error::other),
            Fault::Slow(delay) => tokio::spawn(async move {
                let answer = self.answer(head, body).await;
                sleep(delay).await;
                answer
            })
            .await
            .map_err(io::Error::other),
            Fault::KilledBefore => self.kill(&head.headers).await,
            Fault::KilledAfter => {
                let headers = head.headers.clone();
                let services = self.clone();
                drop(tokio::spawn(async move { services.answer(head, body).await }).await);
                self.kill(&headers).await
            }
        }
    }

    /// Kills the process that called, and never answers it.
    async fn kill(&self, headers: &HeaderMap) -> io::Result<Response<Body>> {
        let token = headers.get("x-amz-security-token");
        let token = token.and_then(|token| token.to_str().ok());
        if token.is_some_and(|token| self.faults.processes().kill(token)) {
            // Wait until the process is killed, which closes this connection. Closing it before would give the process an
            // answer.
            sleep(KILLED).await;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Answers `PutEvents` as if EventBridge had refused the entries at these indexes.
    async fn put_partly(
        &self,
        head: Parts,
        body: &[u8],
        refused: &[String],
        code: Option<&str>,
    ) -> io::Result<Response<Body>> {
        let request: Value = serde_json::from_slice(body)?;
        let entries = request["Entries"].as_array().cloned().unwrap_or_default();
        let is_refused = |n: usize| refused.contains(&n.to_string());
        let places: Vec<_> = (0..entries.len()).map(is_refused).collect();
        let left = entries.into_iter().zip(&places);
        let left: Vec<_> = left.filter(|(_, refused)| !**refused).collect();
        let left = json!({"Entries": left.into_iter().map(|(entry, _)| entry).collect::<Value>()});
        let (head, mut results) = if left["Entries"] == json!([]) {
            (Response::new(()).into_parts().0, Vec::new())
        } else {
            let response = self.answer(head, left.to_string().into()).await;
            if response.status() != StatusCode::OK {
                return Ok(response);
            }
            let (head, answer) = parts(response).await?;
            let results = answer["Entries"].as_array().cloned();
            (head, results.unwrap_or_default())
        };
        let failure = json!({"ErrorCode": code, "ErrorMessage": "no"});
        for n in (0..places.len()).filter(|n| places[*n]) {
            results.insert(n, failure.clone());
        }
        let failed = results.iter().filter(|result| result["EventId"].is_null());
        let answer = json!({"FailedEntryCount": failed.count(), "Entries": results});
        Ok(Response::from_parts(head, Body::from(answer.to_string())))
    }

    /// Answers a batch as if SQS had refused these of its entries.
    async fn answer_partly(
        &self,
        head: Parts,
        body: &[u8],
        refused: &[String],
        code: Option<&str>,
    ) -> io::Result<Response<Body>> {
        let mut request: Value = serde_json::from_slice(body)?;
        let is_refused = |entry: &Value| refused.iter().any(|id| entry["Id"] == id.as_str());
        if let Some(entries) = request["Entries"].as_array_mut() {
            entries.retain(|entry| !is_refused(entry));
        }
        // A batch without entries would be rejected as a whole.
        let response = if request["Entries"] == json!([]) {
            Response::new(Body::from("{}"))
        } else {
            self.answer(head, request.to_string().into()).await
        };
        if response.status() != StatusCode::OK {
            return Ok(response);
        }
        let (head, mut answer) = parts(response).await?;
        let failure = |id| json!({"Id": id, "SenderFault": false, "Code": code, "Message": "no"});
        if code.is_some() {
            let failed = answer["Failed"].as_array().cloned().unwrap_or_default();
            let refused = refused.iter().map(failure);
            answer["Failed"] = failed.into_iter().chain(refused).collect();
        }
        Ok(Response::from_parts(head, Body::from(answer.to_string())))
    }
}

/// The head of an answer, and its body.
async fn parts(response: Response<Body>) -> io::Result<(hyper::http::response::Parts, Value)> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, REQUEST_LIMIT).await;
    let answer = serde_json::from_slice(&body.map_err(io::Error::other)?)?;
    Ok((head, answer))
}

/// An error in AWS JSON, as the service sends it. Clients parse it by its content, whatever its version.
fn refusal(head: &Parts, status: u16, code: &str, mut body: Value) -> Response<Body> {
    let service = operation(head).map(|(service, _)| service);
    let sqs = service == Some(SQS);
    let service = match service {
        Some(SQS) => "sqs",
        Some(EVENTS) => "eventbridge",
        _ => "dynamodb.v20120810",
    };
    body["__type"] = format!("com.amazonaws.{service}#{code}").into();
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0");
    if sqs {
        let fault = if status < 500 { "Sender" } else { "Receiver" };
        response = response.header("x-amzn-query-error", format!("{code};{fault}"));
    }
    response
        .body(Body::from(body.to_string()))
        .unwrap_or_else(|error| text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}
