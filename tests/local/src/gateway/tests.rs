//! The gateway over raw sockets.

use super::*;
use crate::template::model::{GatewayResponse, Route};
use anyhow::Result;
use std::collections::BTreeMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Sends these bytes to a gateway with a route to a function that always fails, and returns its answer.
async fn answer(request: &[u8]) -> Result<String> {
    answer_by(request, false).await
}

/// Does the same with an API whose callers must sign their requests, or need not.
async fn answer_by(request: &[u8], is_signed: bool) -> Result<String> {
    let route = Route {
        path: "/orders".to_owned(),
        method: "ANY".to_owned(),
        function: "F".to_owned(),
    };
    let missing = GatewayResponse {
        status: Some(404),
        body: Some("nothing here".to_owned()),
        ..GatewayResponse::default()
    };
    let api = Api {
        example: None,
        is_signed,
        stage: "v1".to_owned(),
        routes: vec![route],
        gateway_responses: [("MISSING_AUTHENTICATION_TOKEN".to_owned(), missing)].into(),
    };
    let lambda = Lambda::new(
        &BTreeMap::new(),
        &BTreeMap::new(),
        "",
        1,
        false,
        &Arc::default(),
    )?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let server = tokio::spawn(async move {
        axum::serve(listener, router(&api, Arc::new(lambda), Callers::default())).await
    });
    client.write_all(request).await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    server.abort();
    Ok(answer)
}

#[tokio::test]
async fn a_request_that_is_not_signed_reaches_no_function() -> Result<()> {
    for (header, status) in [
        ("", "404 Not Found"),
        ("authorization: Bearer x\r\n", "404 Not Found"),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=/2026/us-east-1/execute-api/aws4_request\r\n",
            "404 Not Found",
        ),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=ANN/2026/us-east-1/execute-api/aws4_request\r\n",
            "502 Bad Gateway",
        ),
    ] {
        let request = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\n{header}connection: close\r\n\r\n"
        );
        let answer = answer_by(request.as_bytes(), true).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{header}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_the_gateway_refuses_has_its_status_and_body() -> Result<()> {
    for (request, status, body) in [
        ("GET /v1/none", "404 Not Found", "nothing here"),
        ("HEAD /v1/none", "404 Not Found", ""),
        ("GET /", "403 Forbidden", r#"{"message":"Forbidden"}"#),
        (
            "POST /v1/orders",
            "502 Bad Gateway",
            r#"{"message":"Internal server error"}"#,
        ),
        ("HEAD /v1/orders", "502 Bad Gateway", ""),
    ] {
        let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = answer(request.as_bytes()).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
        let full_length = match status {
            "404 Not Found" => 12,
            "403 Forbidden" => 23,
            _ => 35,
        };
        assert!(
            answer.contains(&format!("content-length: {full_length}\r\n")),
            "{answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn headers_over_the_limit_are_431() -> Result<()> {
    for (size, status) in [(10_000, "502"), (10_240, "431")] {
        let header = "a".repeat(size);
        let request = format!(
            "GET /v1/orders HTTP/1.1\r\nhost: localhost\r\na: {header}\r\nconnection: close\r\n\r\n"
        );
        let answer = answer(request.as_bytes()).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_body_over_a_limit_is_413() -> Result<()> {
    for (size, message) in [
        (PAYLOAD_LIMIT, "Request Too Long"),
        (MAX_BODY, "Request Too Long"),
        (MAX_BODY + 1, "HTTP content length exceeded 10485760 bytes."),
        (2 * MAX_BODY, "HTTP content length exceeded 10485760 bytes."),
    ] {
        for framing in [
            format!("content-length: {size}\r\n\r\n"),
            format!("transfer-encoding: chunked\r\n\r\n{size:x}\r\n"),
        ] {
            let head = "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
            let mut request = format!("{head}{framing}").into_bytes();
            request.resize(request.len() + size, b' ');
            request.extend(b"\r\n0\r\n\r\n");
            let answer = answer(&request).await?;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{framing}: {answer}");
            assert!(answer.contains(message), "{framing}: {answer}");
        }
    }
    Ok(())
}
