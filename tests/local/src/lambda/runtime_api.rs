//! Serves the Lambda Runtime API of one execution environment, on its own port, to programs and to no browser.

use super::{PAYLOAD_LIMIT, error_document};
use crate::callers::{Callers, guard};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use uuid::Uuid;

/// The id of a delivery, which `lambda_runtime` echoes since 1.4: an answer to an invocation that timed out is then not
/// mistaken for an answer to its retry, which has the same request id.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// A message from a process through the API.
#[derive(Debug)]
pub enum Said {
    /// The process asked for the next invocation: it is initialised, and done with the previous one.
    Idle,
    /// The process answered its current invocation, with a response or an error document.
    Answer(Result<Bytes, Bytes>),
    /// The process could not initialise.
    InitError(Bytes),
}

/// An invocation to hand to a process.
#[derive(Debug)]
pub struct Invocation {
    /// The request's id.
    pub id: String,
    /// The function's ARN.
    pub arn: String,
    /// How long the process may take, counted from when it fetches the invocation.
    pub timeout: Duration,
    /// The value of the trace header.
    pub trace: String,
    /// The event.
    pub payload: Bytes,
}

/// The environment's side: hands over invocations and receives the process's messages.
#[derive(Debug)]
pub struct RuntimeApi {
    /// The value of `AWS_LAMBDA_RUNTIME_API` for the process.
    pub address: SocketAddr,
    said: mpsc::UnboundedReceiver<Said>,
    invocations: mpsc::UnboundedSender<Invocation>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Serves the API until it is dropped.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (report, said) = mpsc::unbounded_channel();
        let (invocations, waiting) = mpsc::unbounded_channel();
        let process = Arc::new(Process {
            report,
            waiting: tokio::sync::Mutex::new(waiting),
            current: Mutex::new(None),
        });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(process);
        // A page that asked for the next invocation would get a client's order.
        let callers = Callers::default();
        let app = guard(app, move |request| callers.check_program(request));
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self {
            address,
            said,
            invocations,
            server,
        })
    }

    /// Waits for the process's next message.
    pub async fn said(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            // The server is gone, so no message will ever arrive.
            None => std::future::pending().await,
        }
    }

    /// Hands an invocation to the process as soon as it asks for one.
    pub fn hand_over(&mut self, invocation: Invocation) {
        // Messages that a process sent twice while it was idle don't concern the new invocation.
        while self.said.try_recv().is_ok() {}
        // Without a server, the invocation's time-out ends it.
        drop(self.invocations.send(invocation));
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The server's side.
#[derive(Debug)]
struct Process {
    report: mpsc::UnboundedSender<Said>,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    /// The process's current invocation: its request id, and the id of this delivery.
    current: Mutex<Option<(String, String)>>,
}

impl Process {
    fn current(&self) -> std::sync::MutexGuard<'_, Option<(String, String)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, said: Said) {
        drop(self.report.send(said));
    }
}

async fn next(State(process): State<Arc<Process>>) -> Response {
    if process.current().is_some() {
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition");
    }
    process.report(Said::Idle);
    let Some(invocation) = process.waiting.lock().await.recv().await else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "EnvironmentStopped");
    };
    let echo = Uuid::new_v4().to_string();
    *process.current() = Some((invocation.id.clone(), echo.clone()));
    let deadline = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        + invocation.timeout;
    let headers = [
        (INVOCATION_ID, echo),
        ("lambda-runtime-aws-request-id", invocation.id),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", invocation.arn),
        ("lambda-runtime-trace-id", invocation.trace),
        ("content-type", "application/json".to_owned()),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value));
    (headers, invocation.payload).into_response()
}

async fn response(
    State(process): State<Arc<Process>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&process, &id, &headers, body, Ok).await
}

async fn error(
    State(process): State<Arc<Process>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&process, &id, &headers, body, Err).await
}

async fn answer(
    process: &Process,
    id: &str,
    headers: &HeaderMap,
    body: Body,
    judge: fn(Bytes) -> Result<Bytes, Bytes>,
) -> Response {
    let answer = match to_bytes(body, PAYLOAD_LIMIT).await {
        Ok(body) => Some(judge(body)),
        Err(error)
            if error
                .source()
                .is_some_and(<dyn Error>::is::<LengthLimitError>) =>
        {
            None
        }
        // The process went away while it was answering: how it ended says more.
        Err(_) => return refusal(StatusCode::BAD_REQUEST, "InvalidRequest"),
    };
    // Taken only now, and once: of two answers to one invocation the first counts.
    let echo = headers.get(INVOCATION_ID);
    let is_current = |(current, delivery): &mut (String, String)| {
        current == id && echo.is_none_or(|echo| echo == delivery.as_str())
    };
    let current = process.current().take_if(is_current);
    if current.is_none() {
        return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID");
    }
    if let Some(answer) = answer {
        process.report(Said::Answer(answer));
        return (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response();
    }
    let message = format!(
        "Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
    );
    process.report(Said::Answer(Err(error_document(
        "Function.ResponseSizeTooLarge",
        &message,
    ))));
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge")
}

async fn init_error(State(process): State<Arc<Process>>, body: Body) -> Response {
    let body = to_bytes(body, PAYLOAD_LIMIT).await.unwrap_or_default();
    process.report(Said::InitError(body));
    (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
}

fn refusal(status: StatusCode, error_type: &str) -> Response {
    (status, error_document(error_type, error_type)).into_response()
}

#[cfg(test)]
mod tests;
