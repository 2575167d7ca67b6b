//! The services that functions and tests call, on one address: SQS, `DynamoDB` and Lambda's Invoke.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, body::Incoming, header, http::request::Parts,
    server::conn::http1, service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::{
    faults::{Call, Fault, Faults},
    lambda::{InvokeError, Lambda, PAYLOAD_LIMIT},
    sqs::Sqs,
};

/// Most bytes of a request: `DynamoDB`'s limit, the largest of the three.
const REQUEST_LIMIT: usize = 16 << 20;

/// Longer than it takes to kill a process.
const KILLED: Duration = Duration::from_secs(5);

const SQS: &str = "AmazonSQS.";
const DYNAMODB: &str = "DynamoDB_20120810.";

/// What answers, cheap to clone.
#[derive(Clone)]
pub struct Services {
    sqs: Sqs,
    lambda: Arc<Lambda>,
    faults: Arc<Faults>,
    tables: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Services {
    /// `tables` is where `DynamoDB` listens.
    pub fn new(sqs: Sqs, lambda: Arc<Lambda>, faults: Arc<Faults>, tables: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            sqs,
            lambda,
            faults,
            tables,
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Serves until it is dropped, which closes every connection. It isn't `axum::serve`, because
    /// that cannot cut a connection instead of answering.
    pub async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely: some have to be closed first.
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            drop(stream.set_nodelay(true));
            let services = self.clone();
            let service = service_fn(move |request| services.clone().handle(request));
            connections.spawn(async move {
                drop(
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await,
                );
            });
            while connections.try_join_next().is_some() {}
        }
    }

    /// An error cuts the connection.
    async fn handle(self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(Body::new(body), REQUEST_LIMIT).await else {
            return Ok(text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request is too large",
            ));
        };
        let fault = operation(&head).and_then(|(_, operation)| {
            self.faults.meet(&Call {
                caller: caller(&head.headers),
                operation,
                body: &body,
            })
        });
        match fault {
            None => Ok(self.answer(head, body).await),
            Some(Fault::Refuse { status, code, body }) => Ok(refusal(&head, status, &code, body)),
            Some(Fault::Partial { entries, code }) => {
                self.answer_partly(head, &body, &entries, code).await
            }
            // In tasks of their own, which go on when the caller closes the connection.
            Some(Fault::Unanswered) => {
                drop(tokio::spawn(async move { self.answer(head, body).await }).await);
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Some(Fault::Late(delay)) => tokio::spawn(async move {
                sleep(delay).await;
                self.answer(head, body).await
            })
            .await
            .map_err(io::Error::other),
            Some(Fault::Slow(delay)) => tokio::spawn(async move {
                let answer = self.answer(head, body).await;
                sleep(delay).await;
                answer
            })
            .await
            .map_err(io::Error::other),
            Some(Fault::KilledBefore) => self.kill(&head.headers).await,
            Some(Fault::KilledAfter) => {
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
            // A connection that is cut before the process is gone would be an answer. Its end cuts this one.
            sleep(KILLED).await;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn answer(&self, head: Parts, body: Bytes) -> Response<Body> {
        match operation(&head) {
            Some((SQS, operation)) => self.sqs.handle(operation, body).await,
            Some(_) => self.tables(head, body).await,
            None => match invoked_function(&head) {
                Some(function) => self.invoke(&function, &head.headers, body).await,
                None => text(
                    StatusCode::NOT_FOUND,
                    "SQS, DynamoDB and Lambda's Invoke only",
                ),
            },
        }
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
        // A batch without entries would be refused whole.
        let response = if request["Entries"] == json!([]) {
            Response::new(Body::from("{}"))
        } else {
            self.answer(head, request.to_string().into()).await
        };
        if response.status() != StatusCode::OK {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = to_bytes(body, REQUEST_LIMIT).await;
        let mut answer: Value = serde_json::from_slice(&body.map_err(io::Error::other)?)?;
        let failure = |id| json!({"Id": id, "SenderFault": false, "Code": code, "Message": "no"});
        if code.is_some() {
            let failed = answer["Failed"].as_array().cloned().unwrap_or_default();
            let refused = refused.iter().map(failure);
            answer["Failed"] = failed.into_iter().chain(refused).collect();
        }
        Ok(Response::from_parts(head, Body::from(answer.to_string())))
    }

    async fn tables(&self, mut head: Parts, body: Bytes) -> Response<Body> {
        let uri = format!("http://{}{}", self.tables, head.uri.path()).parse();
        let Ok(uri) = uri else {
            return text(StatusCode::BAD_REQUEST, "bad path");
        };
        head.uri = uri;
        // The body is whole here, however it came; and these connections are our own.
        for name in [
            header::TRANSFER_ENCODING,
            header::CONNECTION,
            header::EXPECT,
        ] {
            head.headers.remove(name);
        }
        let request = Request::from_parts(head, Full::new(body));
        match self.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    /// Lambda's Invoke API.
    async fn invoke(&self, function: &str, headers: &HeaderMap, body: Bytes) -> Response<Body> {
        let Some(function) = self.lambda.logical_id(function).map(str::to_owned) else {
            let message = format!("Function not found: {function}");
            return lambda_error(
                404,
                "ResourceNotFoundException",
                json!({"Message": message}),
            );
        };
        if body.len() > PAYLOAD_LIMIT {
            let message = format!("Request must be smaller than {PAYLOAD_LIMIT} bytes");
            return lambda_error(413, "RequestTooLargeException", json!({"message": message}));
        }
        let kind = headers.get("x-amz-invocation-type");
        if kind.is_some_and(|kind| kind == "Event") {
            let lambda = self.lambda.clone();
            tokio::spawn(async move { lambda.invoke(&function, body).await });
            return text(StatusCode::ACCEPTED, "");
        }
        let (error, payload) = match self.lambda.invoke(&function, body).await {
            Ok(payload) => (None, payload),
            Err(InvokeError::Failed(document)) => (Some("Unhandled"), document),
            Err(InvokeError::Throttled) => {
                let body = json!({"message": "Rate Exceeded.", "Reason": "ConcurrentInvocationLimitExceeded"});
                return lambda_error(429, "TooManyRequestsException", body);
            }
        };
        let mut response = Response::new(Body::from(payload));
        let headers = response.headers_mut();
        headers.insert(
            "content-type",
            header::HeaderValue::from_static("application/json"),
        );
        headers.insert(
            "x-amz-executed-version",
            header::HeaderValue::from_static("$LATEST"),
        );
        if let Some(error) = error {
            headers.insert(
                "x-amz-function-error",
                header::HeaderValue::from_static(error),
            );
        }
        response
    }
}

/// The service's prefix and the operation, of a call to SQS or `DynamoDB`.
fn operation(head: &Parts) -> Option<(&'static str, &str)> {
    let target = head.headers.get("x-amz-target")?.to_str().ok()?;
    [SQS, DYNAMODB]
        .into_iter()
        .find_map(|prefix| Some((prefix, target.strip_prefix(prefix)?)))
}

/// The access key id that signed a call: of a function, its logical id.
fn caller(headers: &HeaderMap) -> &str {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, credential)| credential.split('/').next())
        .unwrap_or_default()
}

/// `POST /2015-03-31/functions/{function}/invocations`
fn invoked_function(head: &Parts) -> Option<String> {
    let path = head.uri.path().strip_prefix("/2015-03-31/functions/")?;
    let function = path.strip_suffix("/invocations")?;
    let function = percent_decode_str(function).decode_utf8().ok()?;
    (head.method == Method::POST).then(|| function.into_owned())
}

/// An error as SQS and `DynamoDB` send it, in AWS JSON 1.0.
fn refusal(head: &Parts, status: u16, code: &str, mut body: Value) -> Response<Body> {
    let sqs = operation(head).is_some_and(|(service, _)| service == SQS);
    let service = if sqs { "sqs" } else { "dynamodb.v20120810" };
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

fn lambda_error(status: u16, code: &'static str, mut body: Value) -> Response<Body> {
    body["Type"] = "User".into();
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        header::HeaderValue::from_static("application/json"),
    );
    headers.insert("x-amzn-errortype", header::HeaderValue::from_static(code));
    response
}

fn text(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(message.to_owned()));
    *response.status_mut() = status;
    response
}
