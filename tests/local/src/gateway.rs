//! A stage of an API Gateway REST API: turns HTTP into events for functions, and their answers into HTTP.
//!
//! `route` finds the function, `event` writes its event, `respond` writes the client's response. API keys aren't
//! enforced, signatures aren't verified, and nothing is metered.

mod event;
mod respond;
mod route;
#[cfg(test)]
mod tests;

use crate::{
    callers::Callers,
    lambda::{InvokeError, Lambda, PAYLOAD_LIMIT, trace::Trace},
    services::caller,
    template::model::Api,
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use event::Arrival;
use http_body_util::BodyExt;
use respond::Fault;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// API Gateway's limit for a request's body.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// API Gateway's limit for the request line and the header values together.
const MAX_HEAD: usize = 10_240;
/// API Gateway's limit for an integration.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);

/// Answers every path and method as the API's stage would.
pub fn router(api: &Api, lambda: Arc<Lambda>, callers: Callers) -> Router {
    let gateway = Arc::new(Gateway {
        api: api.clone(),
        lambda,
        callers,
    });
    Router::new().fallback(move |request: Request| {
        let gateway = Arc::clone(&gateway);
        async move { gateway.answer(request).await }
    })
}

struct Gateway {
    api: Api,
    lambda: Arc<Lambda>,
    callers: Callers,
}

impl Gateway {
    async fn answer(&self, request: Request) -> Response {
        if let Err(stranger) = self.callers.check(&request) {
            return (StatusCode::FORBIDDEN, stranger.to_string()).into_response();
        }
        let arrival = Arrival::now(Trace::of(request.headers()));
        match self.respond(request, &arrival).await {
            Ok(response) => response,
            // Outside a stage, API Gateway can't tell which API is meant, so that API's gateway responses don't apply.
            Err(fault) if fault == respond::FORBIDDEN => {
                respond::gateway_response(&fault, &BTreeMap::new(), &arrival)
            }
            Err(fault) => respond::gateway_response(&fault, &self.api.gateway_responses, &arrival),
        }
    }

    async fn respond(&self, request: Request, arrival: &Arrival) -> Result<Response, Fault> {
        let (parts, body) = request.into_parts();
        // Read whatever the answer will be: a client that is still sending might miss the answer otherwise.
        let body = read(body).await?;
        if event::head_size(&parts) > MAX_HEAD {
            return Err(respond::HEADERS_TOO_LARGE);
        }
        let path = parts.uri.path();
        let path = route::within_stage(path, &self.api.stage).ok_or(respond::FORBIDDEN)?;
        let matched = route::find(&self.api.routes, &parts.method, path)
            .ok_or(respond::MISSING_AUTHENTICATION_TOKEN)?;
        let signer = caller(&parts.headers);
        if self.api.is_signed && signer.is_empty() {
            return Err(respond::MISSING_AUTHENTICATION_TOKEN);
        }

        let signer = self.api.is_signed.then_some(signer);
        let event = event::event(
            &parts,
            &body,
            path,
            &matched,
            &self.api.stage,
            signer,
            arrival,
        );
        let payload = Bytes::from(event.to_string());
        if payload.len() > PAYLOAD_LIMIT {
            return Err(respond::EVENT_TOO_LARGE);
        }
        let trace = arrival.trace.clone();
        let answer = self.invoke(trace, &matched.route.function, payload);
        let answer = answer.await?;
        respond::function_response(&answer, arrival).ok_or(respond::INTERNAL_SERVER_ERROR)
    }

    /// Invokes in its own task: a function runs to its end, even if the client disconnects or times out.
    async fn invoke(&self, trace: Trace, function: &str, payload: Bytes) -> Result<Bytes, Fault> {
        let (lambda, function) = (Arc::clone(&self.lambda), function.to_owned());
        let invocation =
            tokio::spawn(async move { lambda.invoke_in(trace, &function, payload).await });
        match tokio::time::timeout(INTEGRATION_TIMEOUT, invocation).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(InvokeError::Throttled))) => Err(respond::THROTTLED_FUNCTION),
            Ok(Ok(Err(InvokeError::Failed(_))) | Err(_)) => Err(respond::INTERNAL_SERVER_ERROR),
            Err(_) => Err(respond::INTEGRATION_TIMEOUT),
        }
    }
}

/// Reads the whole body, keeping no more than `MAX_BODY` of it; an endless one is cut off.
async fn read(mut body: Body) -> Result<Bytes, Fault> {
    let mut kept = BytesMut::new();
    let mut size = 0;
    while size <= 10 * MAX_BODY
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| respond::BAD_REQUEST_BODY)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size += data.len();
        if size <= MAX_BODY {
            kept.extend_from_slice(&data);
        }
    }
    if size > MAX_BODY {
        return Err(respond::BODY_TOO_LARGE);
    }
    Ok(kept.freeze())
}
