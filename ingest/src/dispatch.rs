//! The function `ingest`: dispatches each request to its route's handler.

use crate::{accept::accept, accept_batch::accept_batch, acceptor::Acceptor, route::Route};
use lambda_http::{Body, Request, Response};

/// Answers a request.
pub async fn dispatch(acceptor: &Acceptor, request: Request) -> Response<Body> {
    let route = Route::of_ingest(&request);
    let answer = match route.check(request.method()) {
        Err(problem) => Err(problem),
        Ok(()) if route == Route::Batch => accept_batch(acceptor, request).await,
        Ok(()) => accept(acceptor, request).await,
    };
    let metrics = &acceptor.metrics;
    let response = answer.unwrap_or_else(|problem| problem.refuse(metrics));
    metrics.write_if_due();
    response
}
