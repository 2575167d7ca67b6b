//! Requests that would do harm: a web page's, and those that need more stack than a thread has, in every language.

use super::Fixture;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};
use std::time::Duration;

/// DynamoDB's limit for an expression, and for a statement.
const LONGEST: (usize, usize) = (4096, 8192);

#[tokio::test]
async fn a_web_page_reaches_no_service() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let queue = local::sqs::url(&format!("http://{}", fixture.address), "q");
    let message = json!({"QueueUrl": queue, "MessageBody": "forged"}).to_string();
    let host = fixture.address.to_string();
    let strangers = [
        (&*host, Some("https://evil.example")),
        (&*host, Some("null")),
        (&*host, Some("http://localhost:5173")),
        ("evil.example", None),
        ("evil.example:3001", Some("http://evil.example:3001")),
        ("192.168.0.7", None),
    ];
    for (host, origin) in strangers {
        for (path, target) in [
            ("/", "AmazonSQS.SendMessage"),
            ("/", "DynamoDB_20120810.ListTables"),
            ("/2015-03-31/functions/F/invocations", ""),
            ("/", ""),
        ] {
            let mut request = Request::post(format!("http://{}{path}", fixture.address))
                .header("host", host)
                .header("content-type", "text/plain")
                .header("x-amz-target", target);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let request = request.body(Full::from(message.clone()))?;
            let answer = fixture.client.request(request).await?;
            assert_eq!(answer.status(), 403, "{host} {origin:?} {target}");
            let reason = answer.into_body().collect().await?.to_bytes();
            assert!(reason.starts_with(b"`local` "), "{reason:?}");
        }
    }
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    Ok(())
}

/// Each of DynamoDB's parameters that is an expression, in a request that is otherwise valid.
fn requests(expression: &str) -> Vec<(&'static str, Value)> {
    let (table, key) = ("odd", json!({"id": {"S": "1"}}));
    let action = |name: &str, parameter: &str| {
        let mut action = json!({"TableName": table, parameter: expression});
        match name {
            "Put" => action["Item"] = key.clone(),
            _ => action["Key"] = key.clone(),
        }
        if name == "Update" && parameter != "UpdateExpression" {
            action["UpdateExpression"] = json!("SET a = id");
        }
        json!({"TransactItems": [{name: action}]})
    };
    let with = |parameter: &str, mut request: Value| {
        request["TableName"] = json!(table);
        request[parameter] = json!(expression);
        request
    };
    let one = json!({"Key": key});
    let values = json!({":v": {"S": "1"}});
    let query = json!({"KeyConditionExpression": "id = :v", "ExpressionAttributeValues": values});
    vec![
        ("PutItem", with("ConditionExpression", json!({"Item": key}))),
        ("DeleteItem", with("ConditionExpression", one.clone())),
        ("UpdateItem", with("UpdateExpression", one.clone())),
        (
            "UpdateItem",
            with(
                "UpdateExpression",
                json!({"Key": key, "ConditionExpression": expression}),
            ),
        ),
        ("GetItem", with("ProjectionExpression", one)),
        (
            "Query",
            with(
                "KeyConditionExpression",
                json!({"ExpressionAttributeValues": values}),
            ),
        ),
        ("Query", with("FilterExpression", query.clone())),
        ("Query", with("ProjectionExpression", query)),
        ("Scan", with("FilterExpression", json!({}))),
        ("Scan", with("ProjectionExpression", json!({}))),
        (
            "BatchGetItem",
            json!({"RequestItems": {table: {"Keys": [key], "ProjectionExpression": expression}}}),
        ),
        (
            "TransactGetItems",
            json!({"TransactItems": [{"Get": {"TableName": table, "Key": key, "ProjectionExpression": expression}}]}),
        ),
        ("TransactWriteItems", action("Put", "ConditionExpression")),
        (
            "TransactWriteItems",
            action("Delete", "ConditionExpression"),
        ),
        (
            "TransactWriteItems",
            action("ConditionCheck", "ConditionExpression"),
        ),
        ("TransactWriteItems", action("Update", "UpdateExpression")),
        (
            "TransactWriteItems",
            action("Update", "ConditionExpression"),
        ),
    ]
}

#[tokio::test]
async fn no_expression_ends_the_process() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let table = json!({
        "TableName": "odd",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let (status, _, body) = fixture
        .call("DynamoDB_20120810.CreateTable", &table)
        .await?;
    assert_eq!(status, 200, "{body}");
    let (longest, statement) = LONGEST;
    let nested = |open: &str, close: &str| {
        let depth = (longest - 8) / (open.len() + close.len());
        format!("{}id = id{}", open.repeat(depth), close.repeat(depth))
    };
    for expression in [
        "(".repeat(longest),
        "(".repeat(1200),
        "(".repeat(100_000),
        nested("(", ")"),
        nested("NOT ", ""),
        nested("NOT(", ")"),
        nested("size(", ")"),
        format!("SET a = {}id", "(".repeat(longest - 10)),
        format!("SET a = {}id", "if_not_exists(a,".repeat(longest / 20)),
        format!("a{}", "[0]".repeat(longest / 3 - 1)),
        format!("a{}", ".a".repeat(longest / 2 - 1)),
    ] {
        for (operation, request) in requests(&expression) {
            let target = format!("DynamoDB_20120810.{operation}");
            let (status, _, body) = fixture.call(&target, &request).await?;
            let start: String = expression.chars().take(20).collect();
            assert!(
                status == 400 || status == 200,
                "{operation} {start}: {status} {body}"
            );
        }
    }
    for text in [
        "(".repeat(statement - 40),
        "NOT ".repeat(statement / 4 - 20),
    ] {
        let request = json!({"Statement": format!("SELECT * FROM \"odd\" WHERE {text}id = '1'")});
        let (status, _, body) = fixture
            .call("DynamoDB_20120810.ExecuteStatement", &request)
            .await?;
        assert_eq!(status, 400, "{body}");
    }
    // Nested values: DynamoDB allows 32 levels.
    for depth in [31, 33, 100, 127] {
        let mut value = json!({"S": "x"});
        for _ in 0..depth {
            value = json!({"L": [value]});
        }
        let request = json!({"TableName": "odd", "Item": {"id": {"S": "2"}, "a": value}});
        let (status, ..) = fixture.call("DynamoDB_20120810.PutItem", &request).await?;
        assert_eq!(status, if depth < 32 { 200 } else { 400 }, "{depth}");
    }
    let (status, _, body) = fixture
        .call("DynamoDB_20120810.ListTables", &json!({}))
        .await?;
    assert_eq!((status, body), (200, json!({"TableNames": ["odd"]})));
    Ok(())
}

#[tokio::test]
async fn no_pattern_or_policy_ends_the_process() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let nested = |open: &str, leaf: &str, close: &str, depth: usize| {
        format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth))
    };
    let deep = |depth| nested(r#"{"a":"#, r#"["x"]"#, "}", depth);
    let twice = |pattern: &str| pattern.replace('…', &nested("(", "x", ")", 1990));
    let put = |pattern: &str| json!({"Name": "r", "EventPattern": pattern});
    let regexp = |operator: &str, text: &str| json!({"a": [{operator: text}]}).to_string();
    for (pattern, code) in [
        (deep(100), None),
        (deep(200), Some("InvalidEventPatternException")),
        (deep(680), Some("InvalidEventPatternException")),
        (deep(900), Some("ValidationException")),
        (deep(10_000), Some("ValidationException")),
        (deep(100_000), Some("ValidationException")),
        // Truncated, so that only its depth can be at fault.
        (r#"{"a":"#.repeat(800), Some("InvalidEventPatternException")),
        (
            format!("{{\"a\":{}", "[".repeat(4000)),
            Some("InvalidEventPatternException"),
        ),
        (
            nested("[", "", "]", 2000),
            Some("InvalidEventPatternException"),
        ),
        (
            format!("{{\"a\":[{{\"anything-but\":{}}}]}}", "[".repeat(4000)),
            Some("InvalidEventPatternException"),
        ),
        (
            regexp("regexp", &nested("(", "x", ")", 2000)),
            Some("InvalidEventPatternException"),
        ),
        (
            regexp("regex", &"(".repeat(4000)),
            Some("InvalidEventPatternException"),
        ),
        (
            regexp("shellstyle", "*"),
            Some("InvalidEventPatternException"),
        ),
        // Another member with the same name hides the operator. The last of them counts.
        (
            twice(r#"{"a":[{"regexp":"…","regexp":["x"]}]}"#),
            Some("InvalidEventPatternException"),
        ),
        (twice(r#"{"a":[{"regexp":"…"}],"a":["x"]}"#), None),
        (regexp("wildcard", &"*a".repeat(1900)), None),
    ] {
        let (status, _, body) = fixture.call("AWSEvents.PutRule", &put(&pattern)).await?;
        let start: String = pattern.chars().take(20).collect();
        assert_eq!(body["__type"].as_str(), code, "{start}: {status} {body}");
        assert_eq!(status, if code.is_none() { 200 } else { 400 }, "{start}");
    }
    // Their patterns are tried with events that are as deep as the API allows, and deeper.
    for depth in [100, 120, 10_000, 100_000] {
        let detail = deep(depth);
        let event = json!({"Source": "s", "DetailType": "d", "Detail": detail});
        let events = json!({"Entries": [event]});
        let (status, _, body) = fixture.call("AWSEvents.PutEvents", &events).await?;
        let code = (depth > 120).then_some("MalformedDetail");
        assert_eq!(status, 200, "{depth}");
        assert_eq!(body["Entries"][0]["ErrorCode"].as_str(), code, "{body}");
    }
    let queue = local::sqs::url(&format!("http://{}", fixture.address), "q");
    for depth in [200, 10_000, 100_000] {
        for name in ["Policy", "RedrivePolicy"] {
            let attributes = json!({name: deep(depth)});
            let set = json!({"QueueUrl": queue, "Attributes": attributes});
            let (status, _, body) = fixture.call("AmazonSQS.SetQueueAttributes", &set).await?;
            assert_eq!(status, 400, "{name} {depth}: {body}");
        }
    }
    // Whole requests, for each service.
    for target in [
        "AWSEvents.PutEvents",
        "AmazonSQS.SendMessage",
        "DynamoDB_20120810.PutItem",
        "",
    ] {
        for body in [
            deep(100_000),
            "[".repeat(1_000_000),
            r#"{"Item":{"a":"#.to_owned() + &r#"{"L":["#.repeat(100_000),
        ] {
            let path = if target.is_empty() {
                "/2015-03-31/functions/F/invocations"
            } else {
                "/"
            };
            let request = Request::post(format!("http://{}{path}", fixture.address))
                .header("x-amz-target", target)
                .header("x-amz-date", "20260101T000000Z")
                .header(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
                )
                .header("content-type", "application/x-amz-json-1.0")
                .body(Full::from(body))?;
            let answer = fixture.client.request(request).await?;
            assert!(answer.status().is_client_error(), "{target}: {answer:?}");
        }
    }
    Ok(())
}
