//! Serves SQS, `DynamoDB`, EventBridge and Lambda's Invoke on one address, for functions and tests.

mod fault;
mod invoke;
pub mod served;
mod unserved;

use crate::{
    callers::Callers,
    console::observer::Observer,
    event_bus::EventBuses,
    faults::{Call, Faults},
    lambda::{
        Lambda,
        trace::{self, Trace},
    },
    sqs::{self, Sqs},
    tables::Tables,
};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode, body::Incoming, header, http::request::Parts,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

/// The maximum size of a request: `DynamoDB`'s limit, the largest of all.
const REQUEST_LIMIT: usize = 16 << 20;

const SQS: &str = "AmazonSQS.";
const DYNAMODB: &str = "DynamoDB_20120810.";
const EVENTS: &str = "AWSEvents.";

/// The services. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    sqs: Sqs,
    buses: EventBuses,
    lambda: Arc<Lambda>,
    faults: Arc<Faults>,
    tables: Tables,
    callers: Callers,
    observer: Arc<Observer>,
}

impl Services {
    /// Serves these.
    pub fn new(
        sqs: Sqs,
        buses: EventBuses,
        lambda: Arc<Lambda>,
        faults: Arc<Faults>,
        tables: Tables,
        callers: Callers,
        observer: Arc<Observer>,
    ) -> Self {
        Self {
            sqs,
            buses,
            lambda,
            faults,
            tables,
            callers,
            observer,
        }
    }

    /// Serves until it is dropped, which closes every connection. It isn't `axum::serve`, because that can't cut a connection
    /// instead of answering.
    pub async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Most likely there are no file descriptors left: some must be closed first.
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

    /// Answers a request. An error cuts the connection.
    async fn handle(self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        if let Err(stranger) = self.callers.check(&request) {
            return Ok(text(StatusCode::FORBIDDEN, &stranger.to_string()));
        }
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
        let watched =
            operation(&head).and_then(|(_, operation)| self.observer.call(operation, &body));
        let response = match fault {
            None => Ok(self.answer(head, body).await),
            Some(fault) => self.fail(fault, head, body).await,
        };
        match watched {
            None => response,
            Some(watched) => watched.answered(response).await,
        }
    }

    async fn answer(&self, head: Parts, body: Bytes) -> Response<Body> {
        let served = operation(&head).filter(|(service, operation)| served::is(service, operation));
        match served {
            Some((SQS, operation)) => {
                let text = |name: &str| head.headers.get(name)?.to_str().ok();
                let trace = text(trace::HEADER).filter(|header| Trace::read(header).is_some());
                let context = sqs::Head {
                    endpoint: text("host").map(|host| format!("http://{host}")),
                    trace: trace.map(str::to_owned),
                };
                self.sqs.handle(&context, operation, body).await
            }
            Some((EVENTS, operation)) => self.buses.handle(operation, &body),
            Some((_, operation)) => self.tables.handle(&head, operation, body).await,
            None => match invoke::function(&head) {
                Some(function) => {
                    invoke::invoke(&self.lambda, &function, &head.headers, body).await
                }
                None => unserved::refuse(&head, &body),
            },
        }
    }
}

/// The service's prefix and the operation of a call to SQS, `DynamoDB` or EventBridge.
fn operation(head: &Parts) -> Option<(&'static str, &str)> {
    let target = head.headers.get("x-amz-target")?.to_str().ok()?;
    [SQS, DYNAMODB, EVENTS]
        .into_iter()
        .find_map(|prefix| Some((prefix, target.strip_prefix(prefix)?)))
}

/// The access key id that signed a call: a function signs with its logical id.
pub(crate) fn caller(headers: &HeaderMap) -> &str {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, credential)| credential.split('/').next())
        .unwrap_or_default()
}

fn text(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(message.to_owned()));
    *response.status_mut() = status;
    response
}
