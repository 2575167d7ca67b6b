//! The spike's clients: each places an order, and polls for its outcome as `Retry-After` says.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{LOCATION, RETRY_AFTER},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

/// The number of concurrent requests; further ones wait, so that connections don't run out.
const CONNECTIONS: usize = 1000;
/// A client's time-out: one second longer than API Gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// All clients. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    http: Client<HttpConnector, Full<Bytes>>,
    connections: Arc<Semaphore>,
    /// The API's URL, with the stage.
    api: Arc<str>,
}

/// Where to poll for an outcome, and after which time.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    location: String,
    wait: Duration,
}

impl Clients {
    pub fn new(api: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            http: Client::builder(TokioExecutor::new()).build(connector),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            api: api.into(),
        }
    }

    /// Waits until another connection is free.
    pub async fn connection(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.connections.clone().acquire_owned().await
    }

    /// Places an order. Returns the status, if there is an answer, and the ticket of an accepted order.
    pub async fn place(&self, key: &str, order: String) -> Option<(StatusCode, Option<Ticket>)> {
        let answer = self.call(Method::POST, "orders", key, order).await?;
        Some((answer.status(), Ticket::of(&answer)))
    }

    /// Polls until the outcome is known. After a failure it repeats the last wait.
    pub async fn follow(&self, key: &str, ticket: Ticket) {
        let Ticket { location, mut wait } = ticket;
        loop {
            sleep(wait).await;
            let connection = self.connection().await;
            let asked = self.call(Method::GET, &location, key, String::new()).await;
            drop(connection);
            let Some(answer) = asked.filter(|answer| answer.status().is_success()) else {
                continue;
            };
            match retry_after(&answer) {
                Some(next) => wait = next,
                None => return,
            }
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: String,
    ) -> Option<Response<()>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.api))
            .header("content-type", "application/json")
            .header("x-api-key", key)
            .body(Full::from(body))
            .ok()?;
        let answer = async {
            let (head, body) = self.http.request(request).await.ok()?.into_parts();
            // A connection is reused once its answer is read.
            body.collect().await.ok()?;
            Some(Response::from_parts(head, ()))
        };
        timeout(PATIENCE, answer).await.ok()?
    }
}

impl Ticket {
    fn of<T>(answer: &Response<T>) -> Option<Self> {
        let location = answer.headers().get(LOCATION)?.to_str().ok()?;
        Some(Self {
            location: location.to_owned(),
            wait: retry_after(answer)?,
        })
    }
}

/// Returns the answer's `Retry-After`; `None` if it has the outcome.
fn retry_after<T>(answer: &Response<T>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_needs_a_place_and_a_time() -> hyper::http::Result<()> {
        let check = |headers: &[(&str, &str)], expected: Option<(&str, u64)>| {
            let answer = headers
                .iter()
                .fold(Response::builder(), |answer, (name, value)| {
                    answer.header(*name, *value)
                });
            let expected = expected.map(|(location, seconds)| Ticket {
                location: location.to_owned(),
                wait: Duration::from_secs(seconds),
            });
            assert_eq!(Ticket::of(&answer.body(())?), expected, "{headers:?}");
            Ok(())
        };
        let location = ("location", "orders/a?placed_at=1");
        check(
            &[location, ("retry-after", "7")],
            Some(("orders/a?placed_at=1", 7)),
        )?;
        check(&[location], None)?;
        check(&[location, ("retry-after", "soon")], None)?;
        check(&[("retry-after", "7")], None)
    }
}
