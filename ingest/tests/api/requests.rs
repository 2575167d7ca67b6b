//! A gateway's event, as the functions read it: the client, headers, the body, the route, the id.

use crate::faked::{TRACE, http, read, request, rest};
use anyhow::Result;
use ingest::{
    request::{body, client, header, trace},
    route::{Route, order_id},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_is_its_principal_or_its_api_key() -> Result<()> {
    let check = async |context: Value, expected: &str| {
        let event = rest(json!({"requestContext": context}));
        let request = request(read(&event)?).await?;
        assert_eq!(client(&request).as_str(), expected, "{event}");
        anyhow::Ok(())
    };
    check(json!({}), "anonymous").await?;
    check(json!({"authorizer": null, "identity": null}), "anonymous").await?;
    check(json!({"identity": {"apiKeyId": null}}), "anonymous").await?;
    check(json!({"identity": {"apiKeyId": "key"}}), "key").await?;
    let key = json!({"apiKeyId": "key"});
    let with = |authorizer: Value| json!({"authorizer": authorizer, "identity": key.clone()});
    check(with(json!({"principalId": "ann"})), "ann").await?;
    check(with(json!({"claims": {"sub": "ann"}})), "ann").await?;
    check(
        with(json!({"jwt": {"claims": {"sub": "ann"}, "scopes": null}})),
        "ann",
    )
    .await?;
    check(with(json!({"lambda": {"principalId": "ann"}})), "ann").await?;
    check(
        with(json!({"claims": {"sub": "ann"}, "principalId": "ben"})),
        "ben",
    )
    .await?;
    check(
        with(json!({"claims": "ann", "jwt": "eyJ", "principalId": "ben"})),
        "ben",
    )
    .await?;
    check(
        with(json!({"principalId": "", "claims": {"sub": 7}})),
        "key",
    )
    .await
}

#[tokio::test]
async fn a_client_of_an_http_api_is_its_principal() -> Result<()> {
    let check = async |authorizer: Value, expected: &str| {
        let event = http(json!({"requestContext": {"authorizer": authorizer}}));
        let request = request(read(&event)?).await?;
        assert_eq!(client(&request).as_str(), expected, "{event}");
        anyhow::Ok(())
    };
    check(json!(null), "anonymous").await?;
    check(json!({"iam": {"userId": "ann"}}), "anonymous").await?;
    check(
        json!({"jwt": {"claims": {"sub": "ann"}, "scopes": null}}),
        "ann",
    )
    .await?;
    check(json!({"lambda": null}), "anonymous").await?;
    check(json!({"lambda": {"principalId": "ann", "plan": 1}}), "ann").await?;
    check(
        json!({"jwt": {"claims": {"sub": "ann"}}, "lambda": {"principalId": "ben"}}),
        "ann",
    )
    .await?;
    check(
        json!({"jwt": {"claims": {"sub": ""}}, "lambda": {"principalId": "ben"}}),
        "ben",
    )
    .await
}

#[tokio::test]
async fn headers_are_found_whatever_their_case_and_count() -> Result<()> {
    let check = async |event: Value, expected: Option<&str>| {
        let request = request(read(&event)?).await?;
        let key = header(&request, "idempotency-key");
        assert_eq!(key.as_deref(), expected, "{event}");
        anyhow::Ok(())
    };
    check(
        rest(json!({"headers": null, "multiValueHeaders": null})),
        None,
    )
    .await?;
    let odd = json!({"headers": {"idempotency-KEY": "k"}});
    check(rest(odd.clone()), Some("k")).await?;
    check(http(odd), Some("k")).await?;
    check(
        http(json!({"headers": {"idempotency-key": "k,l"}})),
        Some("k,l"),
    )
    .await?;
    let two = json!({"headers": {"Idempotency-Key": "l"}, "multiValueHeaders": {"Idempotency-Key": ["k", "l"]}});
    check(rest(two), Some("k, l")).await?;
    let only_one =
        json!({"headers": {"Idempotency-Key": "k"}, "multiValueHeaders": {"Accept": ["*/*"]}});
    check(rest(only_one), None).await?;
    check(
        rest(json!({"headers": {"Idempotency-Key": "ä"}})),
        Some("ä"),
    )
    .await
}

#[tokio::test]
async fn a_body_is_decoded_or_known_to_be_broken() -> Result<()> {
    let check = async |members: Value, expected: Option<&[u8]>| {
        for event in [rest(members.clone()), http(members)] {
            let request = request(read(&event)?).await?;
            assert_eq!(body(&request), expected, "{event}");
        }
        anyhow::Ok(())
    };
    check(json!({}), Some(b"")).await?;
    check(json!({"body": null}), Some(b"")).await?;
    check(json!({"body": null, "isBase64Encoded": true}), Some(b"")).await?;
    check(json!({"body": "", "isBase64Encoded": true}), Some(b"")).await?;
    check(json!({"body": "{}", "isBase64Encoded": null}), Some(b"{}")).await?;
    check(json!({"body": "{}", "isBase64Encoded": false}), Some(b"{}")).await?;
    check(
        json!({"body": "e30=", "isBase64Encoded": true}),
        Some(b"{}"),
    )
    .await?;
    check(
        json!({"body": "/wA=", "isBase64Encoded": true}),
        Some(b"\xff\0"),
    )
    .await?;
    for broken in ["e3", "e30", "{}", "not base64!", "e30=\n"] {
        check(json!({"body": broken, "isBase64Encoded": true}), None).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_request_is_known_by_its_resource_or_its_path() -> Result<()> {
    let check = async |event: Value, is_batch: bool| {
        let request = request(read(&event)?).await?;
        let route = Route::of_ingest(&request);
        assert_eq!(route == Route::Batch, is_batch, "{event}");
        anyhow::Ok(())
    };
    let (orders, batch) = ("/orders", "/orders/batch");
    let resource = |resource: &str, path: &str| rest(json!({"resource": resource, "path": path}));
    check(resource(batch, batch), true).await?;
    check(resource(batch, "/shop/orders/batch/"), true).await?;
    check(resource("/{proxy+}", batch), true).await?;
    check(resource(batch, ""), true).await?;
    check(resource(orders, orders), false).await?;
    check(resource("", "orders/batch"), false).await?;
    check(rest(json!({"resource": null, "path": null})), false).await?;
    let path = |path: &str| http(json!({"rawPath": path}));
    check(path(batch), true).await?;
    check(http(json!({"rawPath": batch, "path": null})), true).await?;
    check(path("/v1/orders/batch"), true).await?;
    check(path("/v1/orders/batch/"), true).await?;
    check(path("/v1/orders"), false).await?;
    check(path("/orders/batch/1"), false).await?;
    check(path("/batch"), false).await?;
    check(path("/reorders/batch"), false).await?;
    check(path("orders/batch"), false).await?;
    check(path("v1/orders/batch"), true).await?;
    check(http(json!({})), false).await
}

#[tokio::test]
async fn an_id_comes_from_the_route_or_from_the_path() -> Result<()> {
    let check = async |event: Value, expected: &str| {
        let request = request(read(&event)?).await?;
        assert_eq!(order_id(&request), expected, "{event}");
        anyhow::Ok(())
    };
    let both = json!({"path": "/orders/a", "pathParameters": {"id": "b"}});
    check(rest(both), "b").await?;
    check(
        rest(json!({"path": "/orders/a", "pathParameters": {"id": ""}})),
        "",
    )
    .await?;
    check(
        rest(json!({"path": "/orders/a", "pathParameters": {"proxy": "b"}})),
        "a",
    )
    .await?;
    check(http(json!({"rawPath": "/v1/orders/a"})), "a").await?;
    check(http(json!({"rawPath": "a"})), "a").await?;
    check(http(json!({"rawPath": "/orders/%61"})), "%61").await?;
    check(http(json!({"rawPath": "/orders/a/"})), "").await?;
    check(http(json!({})), "").await?;
    check(rest(json!({})), "").await
}

#[tokio::test]
async fn the_trace_is_the_invocations() -> Result<()> {
    for event in [rest(json!({})), http(json!({}))] {
        let request = request(read(&event)?).await?;
        assert_eq!(trace(&request), Some(TRACE));
    }
    Ok(())
}
