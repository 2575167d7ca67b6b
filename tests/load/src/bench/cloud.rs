//! Fakes SQS and DynamoDB, over TLS on loopback. The fakes store nothing, and answer only the requests that a function should
//! send: any other request fails the run.
//!
//! # Layout
//! - [`sqs`], [`dynamodb`]: check each request.

pub mod dynamodb;
pub mod sqs;

use super::tls::{self, Trust};
use anyhow::{Context, bail};
use bytes::Bytes;
use events::OrderId;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    convert::Infallible,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::spawn_blocking};
use tokio_rustls::TlsAcceptor;

#[derive(Debug)]
pub struct Cloud {
    pub endpoint: String,
    /// The certificates that make a function trust the fakes.
    pub trust: Trust,
    shared: Arc<Shared>,
}

/// The response times of the fakes, from the last byte of a request. They include the fakes' own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    pub queue: Duration,
    pub table: Duration,
}

/// The requests to the fakes.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests to SQS as AWS bills them: one for each 64 KiB of a request.
    pub queue_requests: u64,
    pub queued: HashSet<OrderId>,
    pub transactions: u64,
    pub written: HashSet<OrderId>,
    /// Write units of the transactions.
    pub write_units: u64,
    refusals: Vec<String>,
}

#[derive(Debug, Default)]
struct Shared {
    latency: Mutex<Latency>,
    seen: Mutex<Seen>,
}

impl Cloud {
    /// Serves until the program ends.
    pub async fn start() -> anyhow::Result<Self> {
        let (config, trust) = tls::server()?;
        let acceptor = TlsAcceptor::from(config);
        let shared = Arc::<Shared>::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        serve(listener, acceptor.clone(), shared.clone());
        // Where `localhost` is also an IPv6 address, a function may try that first.
        if let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            serve(listener, acceptor, shared.clone());
        }
        Ok(Self {
            endpoint: format!("https://localhost:{port}"),
            trust,
            shared,
        })
    }

    /// Sets the response times from now on.
    pub fn set_latency(&self, latency: Latency) {
        *locked(&self.shared.latency) = latency;
    }

    /// Returns the requests since the last call. Fails if any of them was wrong.
    pub fn take(&self) -> anyhow::Result<Seen> {
        let seen = std::mem::take(&mut *locked(&self.shared.seen));
        if let Some(first) = seen.refusals.first() {
            let count = seen.refusals.len();
            bail!("{count} requests were wrong, the first: {first}");
        }
        Ok(seen)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    tokio::spawn(async move {
        loop {
            let connection = async {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                io::Result::Ok(stream)
            };
            // The caller went away before its connection was accepted.
            let Ok(stream) = connection.await else {
                continue;
            };
            let (acceptor, shared) = (acceptor.clone(), shared.clone());
            tokio::spawn(async move {
                let stream = match acceptor.accept(stream).await {
                    Ok(stream) => stream,
                    // The function was ended in the middle of its TLS handshake.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
                    Err(error) => {
                        let refusal = format!("a TLS handshake failed: {error}");
                        return locked(&shared.seen).refusals.push(refusal);
                    }
                };
                let service = service_fn(|request| async {
                    Ok::<_, Infallible>(shared.answer(request).await)
                });
                // The connection fails when the function ends.
                drop(
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await,
                );
            });
        }
    });
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET {
            // A function opens its connection with this request; it isn't a call, and isn't counted.
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let body = body.collect().await;
        let asked = Instant::now();
        let answer = match body {
            Ok(body) => self.judge(&parts.headers, &body.to_bytes()),
            Err(error) => Err(error.into()),
        };
        let (status, latency, answer) = match answer {
            Ok((latency, answer)) => (StatusCode::OK, latency, answer),
            Err(error) => {
                let target = target(&parts.headers).unwrap_or("no target");
                let refusal = format!("{target}: {error:#}");
                locked(&self.seen).refusals.push(refusal.clone());
                let answer =
                    json!({"__type": "com.amazonaws#ValidationException", "message": refusal});
                (StatusCode::BAD_REQUEST, Duration::ZERO, answer)
            }
        };
        let left = latency.saturating_sub(asked.elapsed());
        if !left.is_zero() {
            // Tokio's own timer is up to a millisecond late.
            drop(spawn_blocking(move || thread::sleep(left)).await);
        }
        let mut response = Response::new(Full::from(answer.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let json = header::HeaderValue::from_static("application/x-amz-json-1.0");
        headers.insert(header::CONTENT_TYPE, json);
        let id = header::HeaderValue::from_static("5d0f2a7e-8c13-4c0e-9b61-7c4f8d1e3a52");
        headers.insert("x-amzn-requestid", id);
        response
    }

    /// Returns the answer and its delay.
    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<(Duration, Value)> {
        let target = target(headers).context("the request has no X-Amz-Target")?;
        let latency = *locked(&self.latency);
        if let Some(action) = target.strip_prefix("AmazonSQS.") {
            signed(headers, "sqs")?;
            let send = sqs::send(action, body)?;
            let mut seen = locked(&self.seen);
            for id in send.orders {
                if !seen.queued.insert(id) {
                    bail!("order {id} is on the queue twice");
                }
            }
            seen.queue_requests += send.billed;
            Ok((latency.queue, send.answer))
        } else if target == "DynamoDB_20120810.TransactWriteItems" {
            signed(headers, "dynamodb")?;
            let transaction = dynamodb::transact(body)?;
            let mut seen = locked(&self.seen);
            for id in transaction.orders {
                if !seen.written.insert(id) {
                    bail!("order {id} is written twice");
                }
            }
            seen.transactions += 1;
            seen.write_units += transaction.units;
            Ok((latency.table, json!({})))
        } else if let Some(read) = target.strip_prefix("DynamoDB_20120810.") {
            signed(headers, "dynamodb")?;
            Ok((latency.table, dynamodb::read(read, body)?))
        } else {
            bail!("unexpected target {target}");
        }
    }
}

fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()
}

/// Checks that a request is signed for this service, but not the signature itself: that would cost the machine as much CPU as
/// the function.
fn signed(headers: &HeaderMap, service: &str) -> anyhow::Result<()> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = value("authorization").context("the request is not signed")?;
    let scope = format!("/us-east-1/{service}/aws4_request");
    let is_signature = signature.starts_with("AWS4-HMAC-SHA256 Credential=")
        && signature.contains(&scope)
        && signature.contains("Signature=");
    if !is_signature {
        bail!("the signature is not for {service}");
    }
    for header in ["x-amz-date", "x-amz-security-token"] {
        value(header).with_context(|| format!("the request has no {header}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_refused_unless_it_is_signed_for_the_service() -> anyhow::Result<()> {
        let signature = "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/sqs/aws4_request, \
                         SignedHeaders=host, Signature=0a";
        let headers = |names: &[(&'static str, &'static str)]| {
            let pairs = names.iter().map(|(name, value)| {
                let value = header::HeaderValue::from_static(value);
                (header::HeaderName::from_static(name), value)
            });
            pairs.collect::<HeaderMap>()
        };
        let rest = [
            ("x-amz-date", "20261122T090000Z"),
            ("x-amz-security-token", "t"),
        ];
        let all = headers(&[("authorization", signature), rest[0], rest[1]]);
        signed(&all, "sqs")?;
        assert!(signed(&all, "dynamodb").is_err());
        assert!(signed(&headers(&rest), "sqs").is_err());
        assert!(signed(&headers(&[("authorization", signature), rest[0]]), "sqs").is_err());
        assert!(
            signed(
                &headers(&[("authorization", "Basic YTpi"), rest[0], rest[1]]),
                "sqs"
            )
            .is_err()
        );
        Ok(())
    }

    #[test]
    fn an_unexpected_request_fails_the_run() {
        let shared = Shared::default();
        let headers = HeaderMap::from_iter([(
            header::HeaderName::from_static("x-amz-target"),
            header::HeaderValue::from_static("DynamoDB_20120810.Scan"),
        )]);
        assert!(shared.judge(&headers, b"{}").is_err());
        assert!(shared.judge(&HeaderMap::new(), b"{}").is_err());
    }
}
