//! The service that the Lambda runtime invokes.

use crate::{
    gateway::{Event, RoleClients},
    request,
};
use futures_util::FutureExt;
use lambda_http::{Adapter, Body, LambdaEvent, Request, RequestExt, Response, Service, service_fn};
use serde::Serialize;
use std::{convert::Infallible, fmt::Debug, future::Future};
use tracing::{Instrument, Span};

/// Wraps a request handler as the service that the Lambda runtime invokes. `of_role` determines the client of callers with an
/// IAM role, as in [`request::client`].
pub fn service<'a, F>(
    of_role: RoleClients,
    mut handler: impl FnMut(Request) -> F + 'a,
) -> impl Service<LambdaEvent<Event>, Response = impl Serialize + Debug, Error = Infallible>
where
    F: Future<Output = Response<Body>> + Send + 'a,
{
    service_fn(move |event: LambdaEvent<Event>| {
        let LambdaEvent { payload, context } = event;
        let (request, known) = payload.into_parts(of_role);
        let mut known = Some(known); // The adapter calls its handler once.
        let handler = service_fn(|mut request: Request| {
            if let Some(known) = known.take() {
                request.extensions_mut().insert(known);
            }
            let span = span(&request);
            let answer = span.in_scope(|| handler(request));
            answer.map(Ok::<_, Infallible>).instrument(span)
        });
        Adapter::from(handler).call(LambdaEvent::new(request, context))
    })
}

/// Opens the span that puts three ids into each log line: Lambda's id of the request, the gateway's, which the client gets as
/// the header `x-amzn-RequestId`, and the trace's.
fn span(request: &Request) -> Span {
    let context = request.lambda_context_ref();
    let id = context.map(|context| &*context.request_id);
    let trace = request::trace(request).and_then(request::root);
    tracing::info_span!(
        "request",
        requestId = id,
        apiRequestId = request::id(request),
        xrayTraceId = trace
    )
}
