//! EventBridge's protocol, and rules that send to the queue `q`.

use super::*;

const PATTERN: &str = r#"{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}]}}"#;

fn entry(source: &str, total: u64) -> Value {
    let detail = json!({ "total": total }).to_string();
    json!({"Source": source, "DetailType": "Order Confirmed", "Detail": detail})
}

impl Fixture {
    async fn events(&self, operation: &str, body: Value) -> anyhow::Result<(u16, Value)> {
        let target = format!("AWSEvents.{operation}");
        let (status, _, body) = self.call(&target, &body).await?;
        Ok((status, body))
    }

    /// Makes a rule with [`PATTERN`] on a bus, which sends to `q`.
    async fn rule(&self, bus: &str) -> anyhow::Result<()> {
        let rule = json!({"Name": "r", "EventBusName": bus, "EventPattern": PATTERN});
        let (status, _) = self.events("PutRule", rule).await?;
        assert_eq!(status, 200);
        let target = json!({"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"});
        let targets = json!({"Rule": "r", "EventBusName": bus, "Targets": [target]});
        let (status, _) = self.events("PutTargets", targets).await?;
        assert_eq!(status, 200);
        Ok(())
    }

    /// Puts these events, and returns their error codes.
    async fn put(&self, entries: Vec<Value>) -> anyhow::Result<Vec<Option<String>>> {
        let (status, body) = self
            .events("PutEvents", json!({ "Entries": entries }))
            .await?;
        assert_eq!(status, 200, "{body}");
        let results = body["Entries"].as_array().into_iter().flatten();
        let codes: Vec<_> = results
            .map(|result| {
                assert_ne!(result["EventId"].is_null(), result["ErrorCode"].is_null());
                result["ErrorCode"].as_str().map(str::to_owned)
            })
            .collect();
        let failed = codes.iter().flatten().count();
        assert_eq!(body["FailedEntryCount"], failed);
        Ok(codes)
    }
}

#[tokio::test]
async fn a_rule_sends_the_events_of_its_pattern_to_its_queue() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    fixture.rule("default").await?;
    let entries = vec![entry("shop", 101), entry("shop", 100), entry("other", 101)];
    assert_eq!(fixture.put(entries).await?, [None, None, None]);
    let messages = fixture.sqs.receive("q", 10, Duration::ZERO).await?;
    let [message] = &messages[..] else {
        anyhow::bail!("{messages:?}")
    };
    let event: Value = serde_json::from_str(&message.body)?;
    assert_eq!(event["detail"], json!({"total": 101}));
    assert_eq!(event["detail-type"], "Order Confirmed");
    assert_eq!(
        (&event["source"], &event["version"]),
        (&json!("shop"), &json!("0"))
    );
    for field in ["id", "account", "region", "time"] {
        assert!(event[field].is_string(), "{field}");
    }
    assert_eq!(
        event["time"].as_str().map(str::len),
        Some("2026-11-22T09:00:00Z".len())
    );

    // A disabled rule, and then one without a target.
    let rule = json!({"Name": "r", "EventPattern": PATTERN, "State": "DISABLED"});
    fixture.events("PutRule", rule).await?;
    fixture.put(vec![entry("shop", 101)]).await?;
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    fixture.rule("default").await?;
    fixture.put(vec![entry("shop", 101)]).await?;
    assert_eq!(fixture.received(Duration::ZERO).await?, 1);
    fixture
        .events("RemoveTargets", json!({"Rule": "r", "Ids": ["1"]}))
        .await?;
    fixture.put(vec![entry("shop", 101)]).await?;
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    let (status, _) = fixture.events("DeleteRule", json!({"Name": "r"})).await?;
    assert_eq!(status, 200);
    Ok(())
}

#[tokio::test]
async fn buses_are_apart_and_known_by_name_and_arn() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let arn = "arn:aws:events:us-east-1:000000000000:event-bus/own";
    let (status, made) = fixture
        .events("CreateEventBus", json!({"Name": "own"}))
        .await?;
    assert_eq!((status, &made["EventBusArn"]), (200, &json!(arn)));
    fixture.rule("own").await?;
    fixture.put(vec![entry("shop", 101)]).await?;
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    for name in ["own", arn] {
        let mut event = entry("shop", 101);
        event["EventBusName"] = name.into();
        fixture.put(vec![event]).await?;
        assert_eq!(fixture.received(Duration::ZERO).await?, 1, "{name}");
    }
    // A bus that doesn't exist still accepts an event.
    let mut event = entry("shop", 101);
    event["EventBusName"] = "missing".into();
    assert_eq!(fixture.put(vec![event]).await?, [None]);
    assert_eq!(fixture.received(Duration::ZERO).await?, 0);
    Ok(())
}

#[tokio::test]
async fn one_bad_event_leaves_the_others_alone() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    fixture.rule("default").await?;
    let with = |name: &str, value: &str| {
        let mut event = entry("shop", 101);
        event[name] = value.into();
        event
    };
    let entries = vec![
        entry("shop", 101),
        with("Detail", "no JSON"),
        with("Detail", "[1]"),
        with("Source", ""),
        with("DetailType", ""),
        with("Source", "aws.sqs"),
        entry("shop", 102),
    ];
    let codes = fixture.put(entries).await?;
    let codes: Vec<_> = codes
        .iter()
        .map(|code| code.as_deref().unwrap_or("-"))
        .collect();
    let expected = [
        "-",
        "MalformedDetail",
        "MalformedDetail",
        "InvalidArgument",
        "InvalidArgument",
        "NotAuthorizedForSourceException",
        "-",
    ];
    assert_eq!(codes, expected);
    assert_eq!(fixture.received(Duration::ZERO).await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_code() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    fixture.rule("default").await?;
    let check = async |operation: &str, body: Value, expected: &str| {
        let (status, answer) = fixture.events(operation, body.clone()).await?;
        assert_eq!(
            (status, answer["__type"].as_str()),
            (400, Some(expected)),
            "{operation} {body}"
        );
        anyhow::Ok(())
    };
    let many = json!({"Entries": vec![entry("shop", 1); 11]});
    check("PutEvents", many, "ValidationException").await?;
    check("PutEvents", json!({"Entries": []}), "ValidationException").await?;
    let large = json!({"a": "x".repeat(600_000)}).to_string();
    let large = json!({"Source": "shop", "DetailType": "d", "Detail": large});
    check(
        "PutEvents",
        json!({"Entries": [large, large]}),
        "ValidationException",
    )
    .await?;
    check("PutEvents", json!({"Entries": 1}), "SerializationException").await?;
    let rule = |pattern: &str| json!({"Name": "x", "EventPattern": pattern});
    for pattern in [
        "",
        "{",
        r#"{"source":"shop"}"#,
        r#"{"source":[{"sounds-like":"shop"}]}"#,
    ] {
        check("PutRule", rule(pattern), "InvalidEventPatternException").await?;
    }
    let schedule = json!({"Name": "x", "ScheduleExpression": "rate(1 day)"});
    check("PutRule", schedule, "SerializationException").await?;
    let elsewhere = json!({"Name": "x", "EventBusName": "missing", "EventPattern": PATTERN});
    check("PutRule", elsewhere, "ResourceNotFoundException").await?;
    let target = |arn: &str| json!({"Rule": "r", "Targets": [{"Id": "2", "Arn": arn}]});
    let function = "arn:aws:lambda:us-east-1:000000000000:function:F";
    check("PutTargets", target(function), "ValidationException").await?;
    let missing = json!({"Rule": "x", "Ids": ["1"]});
    check("RemoveTargets", missing, "ResourceNotFoundException").await?;
    check("DeleteRule", json!({"Name": "r"}), "ValidationException").await?;
    check(
        "DeleteEventBus",
        json!({"Name": "default"}),
        "ValidationException",
    )
    .await?;
    check(
        "CreateEventBus",
        json!({"Name": "default"}),
        "ResourceAlreadyExistsException",
    )
    .await?;
    check(
        "CreateEventBus",
        json!({"Name": "a b"}),
        "ValidationException",
    )
    .await?;
    check(
        "DescribeEventBus",
        json!({"Name": "x"}),
        "ResourceNotFoundException",
    )
    .await?;
    check("PutPermission", json!({}), "UnknownOperationException").await
}

#[tokio::test]
async fn a_fault_refuses_events_by_their_places() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    fixture.rule("default").await?;
    let check = async |refused: &[&str], expected: [Option<&str>; 3]| {
        let refused: Vec<_> = refused.iter().map(|place| (*place).to_owned()).collect();
        let _rule = fixture.faults.add(move |_| {
            let (entries, code) = (refused.clone(), Some("ThrottlingException".to_owned()));
            Some(Fault::Partial { entries, code })
        });
        let entries = [101, 102, 103].map(|total| entry("shop", total));
        let codes = fixture.put(entries.into()).await?;
        let codes: Vec<_> = codes.iter().map(Option::as_deref).collect();
        assert_eq!(codes, expected);
        let taken = expected.iter().filter(|code| code.is_none()).count();
        assert_eq!(fixture.received(Duration::ZERO).await?, taken);
        anyhow::Ok(())
    };
    let throttled = Some("ThrottlingException");
    check(&[], [None; 3]).await?;
    check(&["0"], [throttled, None, None]).await?;
    check(&["0", "2"], [throttled, None, throttled]).await?;
    check(&["0", "1", "2"], [throttled; 3]).await
}
