//! How the functions read a gateway's event: headers, body, route, id.

use crate::faked::{TRACE, http, read, request, rest};
use anyhow::Result;
use ingest::{
    request::{body, trace, values},
    route::{Route, order_id},
};
use lambda_http::{Context, RequestExt};
use serde_json::{Value, json};

#[tokio::test]
async fn a_header_is_found_whatever_its_case_map_and_count() -> Result<()> {
    let check = async |event: Value, expected: &[&str]| {
        let request = request(read(&event)?).await?;
        assert_eq!(values(&request, "idempotency-key"), expected, "{event}");
        anyhow::Ok(())
    };
    let none = rest(json!({"headers": null, "multiValueHeaders": null}));
    check(none, &[]).await?;
    let odd = json!({"headers": {"idempotency-KEY": "k"}});
    check(rest(odd.clone()), &["k"]).await?;
    check(http(odd), &["k"]).await?;
    // Both maps of a REST API's event, by (headers, multiValueHeaders).
    for (one, many, expected) in [
        (
            json!({"Idempotency-Key": "k"}),
            json!({"Idempotency-Key": ["k", "k"]}),
            vec!["k"],
        ),
        (
            json!({"Idempotency-Key": "l"}),
            json!({"Idempotency-Key": ["k", "l"]}),
            vec!["k", "l"],
        ),
        (
            json!({"Idempotency-Key": "k"}),
            json!({"Accept": ["*/*"]}),
            vec!["k"],
        ),
        (
            json!({"Accept": "*/*"}),
            json!({"idempotency-key": ["k"]}),
            vec!["k"],
        ),
        (
            json!({"idempotency-key": "l"}),
            json!({"Idempotency-Key": ["k"]}),
            vec!["k", "l"],
        ),
        (
            json!({}),
            json!({"Idempotency-Key": ["k"], "idempotency-key": ["k"]}),
            vec!["k"],
        ),
        (
            json!({"IDEMPOTENCY-KEY": "k", "Idempotency-Key": "l"}),
            json!(null),
            vec!["k", "l"],
        ),
        (json!({}), json!({"Idempotency-Key": []}), vec![]),
        // A REST API keeps values apart, so a comma is part of the value, unless a proxy has joined equal values.
        (
            json!({"Idempotency-Key": "k,l"}),
            json!({"Idempotency-Key": ["k,l"]}),
            vec!["k,l"],
        ),
        (
            json!({"Idempotency-Key": "k, k"}),
            json!({"Idempotency-Key": ["k,k,k", "k"]}),
            vec!["k,k,k", "k", "k, k"],
        ),
        (json!({"Idempotency-Key": "k,"}), json!({}), vec!["k,"]),
        (json!({"Idempotency-Key": "ä"}), json!({}), vec!["ä"]),
    ] {
        check(
            rest(json!({"headers": one, "multiValueHeaders": many})),
            &expected,
        )
        .await?;
    }
    for (joined, expected) in [
        ("k,k", vec!["k"]),
        ("k, k ,k", vec!["k"]),
        ("k,l", vec!["k", "l"]),
        ("k,", vec!["k", ""]),
        ("", vec![""]),
    ] {
        check(
            http(json!({"headers": {"idempotency-key": joined}})),
            &expected,
        )
        .await?;
    }
    let both = json!({"headers": {"Idempotency-Key": "k", "idempotency-key": "l,k"}});
    check(http(both), &["k", "l"]).await
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
    // If there is a route, it decides, whatever precedes or encodes the path.
    check(resource(orders, "/shop/orders/batch"), false).await?;
    check(resource("/shop/orders", "/orders/batch"), false).await?;
    let route = |key: &str, path: &str| http(json!({"routeKey": key, "rawPath": path}));
    check(route("POST /orders/batch", "/shop"), true).await?;
    check(route("ANY /orders", "/shop/orders/batch"), false).await?;
    check(route("$default", batch), true).await?;
    check(route("ANY /{proxy+}", batch), true).await?;
    check(path("/orders/%62atc%68"), true).await?;
    check(path("/orders%2Fbatch"), false).await?;
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
    check(http(json!({"rawPath": "/orders/%61%2D%62"})), "a-b").await?;
    check(http(json!({"rawPath": "/%6Frders/a%2d%62/"})), "a-b").await?;
    check(rest(json!({"pathParameters": {"id": "a%2Db"}})), "a-b").await?;
    // An encoded slash separates nothing, and half a character is not another one.
    for odd in ["a%2Fb", "a%2fb", "b%2F", "%2Fb", "a%2F%62"] {
        check(http(json!({"rawPath": format!("/orders/{odd}")})), odd).await?;
        check(rest(json!({"pathParameters": {"id": odd}})), odd).await?;
    }
    check(http(json!({"rawPath": "/orders/a%2"})), "a%2").await?;
    check(http(json!({"rawPath": "/orders/a%252D"})), "a%2D").await?;
    check(http(json!({"rawPath": "/orders/a%FF"})), "a\u{fffd}").await?;
    check(http(json!({"rawPath": "/orders/a/"})), "a").await?;
    check(http(json!({"rawPath": "/orders/a//"})), "a").await?;
    check(http(json!({"rawPath": "//orders//a"})), "a").await?;
    check(http(json!({"rawPath": "//"})), "").await?;
    check(http(json!({})), "").await?;
    check(rest(json!({})), "").await
}

#[tokio::test]
async fn the_trace_is_the_invocations_unless_it_is_malformed() -> Result<()> {
    let mut request = request(read(&rest(json!({})))?).await?;
    assert_eq!(trace(&request), Some(TRACE));
    for (header, is_good) in [
        (format!("{TRACE};Parent=53995c3f42cd8ad8;Sampled=1"), true),
        (
            format!("Self=1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b;{TRACE};Lineage=1:a87bd80c:0|x"),
            true,
        ),
        (format!("{TRACE};Sampled=?;Lineage=1:a87bd80c:0"), true),
        (String::new(), false),
        ("Root=".to_owned(), false),
        ("Root=1-6b02d8d0".to_owned(), false),
        ("Root=2-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b".to_owned(), false),
        (TRACE.replace("6b", "xy"), false),
        (TRACE.to_owned() + "0", false),
        (format!("{TRACE};Sampled"), false),
        (format!("{TRACE};=1"), false),
        (format!("{TRACE};a=\u{e4}"), false),
        (format!("{TRACE};a=b c"), false),
        (format!("{TRACE};a={}", "b".repeat(250)), false),
    ] {
        let mut context = Context::default();
        context.xray_trace_id = Some(header.clone());
        request = request.with_lambda_context(context);
        assert_eq!(trace(&request), is_good.then_some(&*header), "{header}");
    }
    Ok(())
}
