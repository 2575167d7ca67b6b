//! The Runtime API, as a function calls it.

use super::*;
use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Plays the process: makes one request, and returns its status, headers and body.
async fn call(
    api: SocketAddr,
    method: &str,
    path: &str,
    body: impl Into<Bytes>,
) -> anyhow::Result<(u16, HeaderMap, Bytes)> {
    call_with(&HeaderMap::new(), api, method, path, body).await
}

/// Does the same, with headers.
async fn call_with(
    headers: &HeaderMap,
    api: SocketAddr,
    method: &str,
    path: &str,
    body: impl Into<Bytes>,
) -> anyhow::Result<(u16, HeaderMap, Bytes)> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{api}/2018-06-01/runtime/{path}"))
        .body(Full::new(body.into()))?;
    *request.headers_mut() = headers.clone();
    let response = client.request(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok((head.status.as_u16(), head.headers, body))
}

async fn with_invocation(id: &str) -> anyhow::Result<(RuntimeApi, HeaderMap, Bytes)> {
    let mut api = RuntimeApi::start().await?;
    api.hand_over(Invocation {
        id: id.to_owned(),
        arn: "arn:aws:lambda:us-east-1:000000000000:function:f".to_owned(),
        timeout: Duration::from_secs(10),
        trace: "Root=1-2-3".to_owned(),
        payload: Bytes::from_static(b"{\"a\":1}"),
    });
    let (status, headers, payload) =
        call(api.address, "GET", "invocation/next", Bytes::new()).await?;
    assert_eq!(status, 200);
    assert!(matches!(api.said().await, Said::Idle));
    Ok((api, headers, payload))
}

#[tokio::test]
async fn an_invocation_has_its_payload_and_the_deadline_of_its_handover() -> anyhow::Result<()> {
    let before = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (_api, headers, payload) = with_invocation("one").await?;
    let after = SystemTime::now().duration_since(UNIX_EPOCH)?;
    assert_eq!(payload, "{\"a\":1}");
    assert_eq!(headers["lambda-runtime-aws-request-id"], "one");
    let deadline: u128 = headers["lambda-runtime-deadline-ms"].to_str()?.parse()?;
    assert!((before.as_millis()..=after.as_millis()).contains(&(deadline - 10_000)));
    assert_eq!(headers["lambda-runtime-trace-id"], "Root=1-2-3");
    Ok(())
}

#[tokio::test]
async fn only_the_first_answer_to_the_current_invocation_counts() -> anyhow::Result<()> {
    let (mut api, ..) = with_invocation("one").await?;
    for (path, body, status) in [
        ("invocation/other/response", "1", 400),
        ("invocation/other/error", "2", 400),
        ("invocation/one/response", "3", 202),
        ("invocation/one/response", "4", 400),
        ("invocation/one/error", "5", 400),
    ] {
        assert_eq!(call(api.address, "POST", path, body).await?.0, status);
    }
    assert!(matches!(api.said().await, Said::Answer(Ok(body)) if body == "3"));
    assert!(api.said.try_recv().is_err());
    Ok(())
}

#[tokio::test]
async fn an_answer_that_echoes_another_delivery_is_refused() -> anyhow::Result<()> {
    for path in ["invocation/one/response", "invocation/one/error"] {
        let (api, first, _) = with_invocation("one").await?;
        let (mut again, second, _) = with_invocation("one").await?;
        let echo = |headers: &HeaderMap| {
            let id = headers
                .get(INVOCATION_ID)
                .context("no id of the delivery")?;
            anyhow::Ok(HeaderMap::from_iter([(
                HeaderName::from_static(INVOCATION_ID),
                id.clone(),
            )]))
        };
        let (first, second) = (echo(&first)?, echo(&second)?);
        assert_ne!(first, second);
        let stale = call_with(&first, again.address, "POST", path, "1").await?;
        assert_eq!(stale.0, 400);
        assert!(again.said.try_recv().is_err());
        let taken = call_with(&second, again.address, "POST", path, "2").await?;
        assert_eq!(taken.0, 202);
        assert!(matches!(again.said().await, Said::Answer(Ok(body) | Err(body)) if body == "2"));
        drop(api);
    }
    Ok(())
}

#[tokio::test]
async fn a_response_over_the_limit_is_an_error() -> anyhow::Result<()> {
    let (mut api, ..) = with_invocation("one").await?;
    let body = vec![b' '; PAYLOAD_LIMIT + 1];
    // The refusal may arrive while the body is still being sent.
    let _ = call(api.address, "POST", "invocation/one/response", body).await;
    let Said::Answer(Err(document)) = api.said().await else {
        anyhow::bail!("no error");
    };
    assert!(String::from_utf8_lossy(&document).contains("Function.ResponseSizeTooLarge"));
    Ok(())
}

#[tokio::test]
async fn next_is_refused_while_an_invocation_is_unanswered() -> anyhow::Result<()> {
    let (api, ..) = with_invocation("one").await?;
    let (status, ..) = call(api.address, "GET", "invocation/next", "").await?;
    assert_eq!(status, 403);
    Ok(())
}

#[tokio::test]
async fn an_init_error_is_passed_on() -> anyhow::Result<()> {
    let mut api = RuntimeApi::start().await?;
    assert_eq!(call(api.address, "POST", "init/error", "{}").await?.0, 202);
    assert!(matches!(api.said().await, Said::InitError(body) if body == "{}"));
    Ok(())
}

#[tokio::test]
async fn no_page_takes_an_invocation_or_answers_one() -> anyhow::Result<()> {
    let (mut api, ..) = with_invocation("one").await?;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "none"),
        ("host", "evil.example"),
        ("user-agent", "Mozilla/5.0"),
    ] {
        let headers = [(HeaderName::from_static(name), value.parse()?)];
        let headers = HeaderMap::from_iter(headers);
        for (method, path) in [
            ("GET", "invocation/next"),
            ("OPTIONS", "invocation/next"),
            ("POST", "invocation/one/response"),
            ("POST", "invocation/one/error"),
            ("POST", "init/error"),
        ] {
            let (status, answered, _) =
                call_with(&headers, api.address, method, path, "{}").await?;
            assert_eq!(status, 403, "{headers:?} {method} {path}");
            assert!(!answered.contains_key("access-control-allow-origin"));
        }
    }
    let (status, ..) = call(api.address, "POST", "invocation/one/response", "1").await?;
    assert_eq!(status, 202);
    assert!(matches!(api.said().await, Said::Answer(Ok(body)) if body == "1"));
    Ok(())
}
