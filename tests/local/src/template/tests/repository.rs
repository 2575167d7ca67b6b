//! This repository's own template.

use super::{
    super::{load, model::Stack},
    place,
};
use anyhow::{Context, Result};
use serde_json::json;
use std::{path::Path, time::Duration};

fn repository(overrides: &[(&str, &str)]) -> Result<Stack> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let overrides = overrides
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    load(&path, &overrides, &place(), &mut |id| {
        format!("secret of {id}")
    })
}

#[test]
fn it_loads_with_everything_switched_on() -> Result<()> {
    const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/k";
    let stack = repository(&[
        ("AccessLog", "true"),
        ("AlarmEmail", "someone@shop.example"),
        ("Authorizer", "AWS_IAM"),
        ("DeletionProtection", "false"),
        ("Deployment", "Canary10Percent5Minutes"),
        ("KeepDays", "30"),
        ("KmsKeyArn", KEY),
        ("MaxWriteUnits", "8000"),
        ("OrderIdSecretInUse", "in-use"),
        ("OrderIdSecretNext", "next"),
        ("OrderIdSecretPrevious", "previous"),
        ("OutcomeBus", "orders"),
        ("ProcessReservedConcurrency", "20"),
        ("RoleSessionsAreClients", "true"),
        (
            "WafArn",
            "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/w/1",
        ),
        ("WarmWriteUnits", "4000"),
    ])?;
    assert!(stack.api.is_signed);
    let variable = |function: &str, name: &str| stack.functions[function].environment[name].clone();
    assert_eq!(variable("ProcessFunction", "KEEP_DAYS"), "30");
    assert_eq!(variable("StatusFunction", "KEEP_DAYS"), "30");
    for function in ["IngestFunction", "StatusFunction"] {
        assert_eq!(variable(function, "ROLE_SESSIONS_ARE_CLIENTS"), "true");
    }
    assert_eq!(variable("ProcessFunction", "OUTCOME_BUS"), "orders");
    assert_eq!(
        variable("IngestFunction", "ORDER_ID_SECRET"),
        "secret of in-use"
    );
    for role in ["IngestRole", "StatusRole", "ProcessRole"] {
        let statements = &stack.roles[role].statements;
        let on_key = statements.iter().filter(|one| one.resources == [KEY]);
        assert!(on_key.clone().count() == 1, "{role}: {statements:?}");
        let mut actions = on_key.flat_map(|statement| &statement.actions);
        assert!(actions.any(|action| action == "kms:Decrypt"), "{role}");
    }
    Ok(())
}

#[test]
fn the_template_of_this_repository_loads() -> Result<()> {
    let stack = repository(&[("MaxReceiveCount", "3")])?;

    let queue = &stack.queues["OrdersQueue"];
    assert_eq!(queue.visibility_timeout, Duration::from_secs(185));
    assert_eq!(queue.retention, Duration::from_hours(4 * 24));
    let redrive = queue.redrive.as_ref().context("no redrive policy")?;
    assert_eq!(
        redrive.dead_letter_queue,
        stack.queues["OrdersDeadLetterQueue"].name
    );
    assert_eq!(redrive.max_receive_count, 3);
    // `KeepDays` is longer, so that what waits for its first redrive is still stored.
    let dead = &stack.queues["OrdersDeadLetterQueue"];
    assert_eq!(dead.retention, Duration::from_hours(14 * 24));

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
    // How long `status` returns no `failed` row: the template has the number once.
    for seconds in ["150", "20"] {
        let stack = repository(&[("ProcessTimeoutSeconds", seconds)])?;
        let timeout = stack.functions["ProcessFunction"].timeout;
        assert_eq!(timeout.as_secs().to_string(), seconds);
        let shown = &stack.functions["StatusFunction"].environment["PROCESS_TIMEOUT_SECONDS"];
        assert_eq!(shown, seconds);
    }
    assert_eq!(process.reserved_concurrency, None);
    assert_eq!(process.environment["MAX_RECEIVES"], "3");
    assert_eq!(process.environment["KEEP_DAYS"], "0");
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
    assert_eq!(send.actions, ["sqs:SendMessage"]);
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
    assert_eq!(leads_to("/openapi.json"), Some(("GET", "StatusFunction")));
    let missing = &stack.api.gateway_responses["MISSING_AUTHENTICATION_TOKEN"];
    assert_eq!(missing.status, Some(404));
    assert_eq!(missing.headers["content-type"], "application/problem+json");
    Ok(())
}
