//! This repository's own template.

use super::{super::load, place};
use anyhow::{Context, Result};
use serde_json::json;
use std::{collections::BTreeMap, path::Path, time::Duration};

#[test]
fn the_template_of_this_repository_loads() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let overrides = BTreeMap::from([("MaxReceiveCount".to_owned(), "3".to_owned())]);
    let stack = load(&path, &overrides, &place(), &mut |id| {
        format!("secret of {id}")
    })?;

    let queue = &stack.queues["OrdersQueue"];
    assert_eq!(queue.visibility_timeout, Duration::from_secs(185));
    assert_eq!(queue.retention, Duration::from_hours(4 * 24));
    let redrive = queue.redrive.as_ref().context("no redrive policy")?;
    assert_eq!(
        redrive.dead_letter_queue,
        stack.queues["OrdersDeadLetterQueue"].name
    );
    assert_eq!(redrive.max_receive_count, 3);

    let process = &stack.functions["ProcessFunction"];
    assert_eq!(process.alias.as_deref(), Some("live"));
    assert_eq!(
        (process.package.as_str(), process.binary.as_str()),
        ("process", "process")
    );
    assert_eq!(
        (process.timeout, process.memory_size),
        (Duration::from_secs(150), 256)
    );
    assert_eq!(process.reserved_concurrency, None);
    assert_eq!(process.environment["MAX_RECEIVES"], "3");
    let [source] = process.event_sources.as_slice() else {
        panic!("{:?}", process.event_sources);
    };
    assert_eq!(
        (source.queue.as_str(), source.batch_size),
        ("OrdersQueue", 50)
    );
    assert_eq!(
        (source.window, source.maximum_concurrency),
        (Duration::from_secs(1), Some(10))
    );
    assert!(source.report_batch_item_failures);

    let ingest = &stack.functions["IngestFunction"];
    assert_eq!(
        ingest.environment["ORDER_ID_SECRET"],
        "secret of OrderIdSecret"
    );
    assert_eq!(ingest.environment.get("ORDER_ID_SECRET_NEXT"), None);
    assert_eq!(
        ingest.environment["QUEUE_URL"],
        stack.outputs["OrdersQueueUrl"]
    );
    assert_eq!(ingest.role.as_deref(), Some("IngestRole"));
    assert_eq!(
        ingest.log_group.as_deref(),
        Some("/aws/lambda/local-ingest")
    );
    let [send, log] = stack.roles["IngestRole"].statements.as_slice() else {
        panic!("{:?}", stack.roles);
    };
    assert_eq!(send.actions, ["sqs:SendMessage", "sqs:GetQueueAttributes"]);
    assert_eq!(
        send.resources,
        ["arn:aws:sqs:us-east-1:000000000000:OrdersQueue"]
    );
    assert_eq!(log.actions, ["logs:CreateLogStream", "logs:PutLogEvents"]);
    assert_eq!(
        log.resources,
        ["arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/local-ingest:*"]
    );
    assert_eq!(stack.outputs["ApiUrl"], "http://127.0.0.1:3000/v1");

    assert_eq!(
        stack.tables["OrdersTable"].definition,
        json!({
            "TableName": stack.outputs["OrdersTableName"],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        })
    );
    assert_eq!(stack.tables["OrdersTable"].items, None);
    let items = Path::new("events/articles.json");
    assert_eq!(stack.tables["ArticlesTable"].items.as_deref(), Some(items));
    let example = stack.api.example.context("no request to try")?;
    assert!(example.contains("curl -i {api}/orders "), "{example}");
    let leads_to = |path: &str| {
        let route = stack.api.routes.iter().find(|route| route.path == path);
        route.map(|route| (route.method.as_str(), route.function.as_str()))
    };
    assert_eq!(leads_to("/orders"), Some(("ANY", "IngestFunction")));
    assert_eq!(leads_to("/orders/batch"), Some(("POST", "IngestFunction")));
    assert!(!stack.api.is_signed);
    assert_eq!(leads_to("/orders/{id}"), Some(("ANY", "StatusFunction")));
    let missing = &stack.api.gateway_responses["MISSING_AUTHENTICATION_TOKEN"];
    assert_eq!(missing.status, Some(404));
    assert_eq!(missing.headers["content-type"], "application/problem+json");
    Ok(())
}
