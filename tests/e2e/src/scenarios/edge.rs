//! The edge of the API: retries as gateways and proxies repeat them, and every kind of caller.

use crate::{
    orders::{UNKNOWN, new_id, new_key, order, placed, sqs_event},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

scenarios! {
    a_key_that_is_sent_twice_is_one_key_and_two_keys_are_none [Tables]
    a_key_that_a_gateway_has_joined_is_one_key [Tables Invoke]
    one_key_for_two_orders_of_a_batch_request_is_refused [Tables]
    one_odd_record_fails_alone [Tables Invoke]
    each_caller_is_a_client_of_its_own [Invoke]
    an_authorizer_that_names_no_client_is_refused [Invoke]
    an_invocation_needs_json_and_a_dry_one_runs_nothing [Clients Invoke]
    a_caller_who_signs_is_known_by_the_signature [Parameters]
    a_location_below_a_slash_leads_to_the_order []
}

const JSON: (&str, &str) = ("content-type", "application/json");

async fn a_key_that_is_sent_twice_is_one_key_and_two_keys_are_none(
    stack: Arc<Stack>,
) -> Result<()> {
    let (sku, key, other) = (stack.article(10).await?, new_key(), new_key());
    let sent = order(&[(&sku, 1)]);
    let id = stack.api.place(&sent, Some(&key)).await?;
    let post = async |keys: [&str; 2]| {
        let [first, second] = keys.map(|key| ("idempotency-key", key));
        let headers = [JSON, first, second];
        let api = &stack.api;
        api.send(Method::POST, "/orders", &headers, sent.to_string())
            .await
    };
    let again = post([&key, &key]).await?;
    ensure!(
        again.status == 202 && again.json()?["id"] == *id,
        "{again:?}"
    );
    let problem = post([&key, &other]).await?.problem(422)?;
    ensure!(problem["type"] == "invalid-idempotency-key", "{problem}");
    stack.api.settled(&id).await?;
    ensure!(stack.aws()?.in_stock(&sku).await? == 9);
    Ok(())
}

/// The event of an HTTP API or of a Function URL.
fn event(method: &str, path: &str, headers: &Value, authorizer: &Value, body: &Value) -> Value {
    let context = json!({"http": {"method": method, "path": path}, "authorizer": authorizer});
    json!({"version": "2.0", "rawPath": path, "headers": headers, "requestContext": context, "body": body.to_string()})
}

async fn a_key_that_a_gateway_has_joined_is_one_key(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku, key) = (stack.aws()?, stack.article(10).await?, new_key());
    let (sent, ann) = (
        order(&[(&sku, 3)]),
        json!({"jwt": {"claims": {"sub": new_key()}}}),
    );
    let mut ids = BTreeSet::new();
    for joined in [key.clone(), format!("{key},{key}"), format!("{key}, {key}")] {
        let headers = json!({"content-type": "application/json", "idempotency-key": joined});
        let event = event("POST", "/orders", &headers, &ann, &sent);
        let answer = aws.invoke(&aws.names.ingest, &event).await?;
        ensure!(answer["statusCode"] == 202, "{answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().context("no body")?)?;
        ids.insert(body["id"].to_string());
    }
    ensure!(ids.len() == 1, "{ids:?}");
    Ok(())
}

async fn an_invocation_needs_json_and_a_dry_one_runs_nothing(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    let name = &aws.names.ingest;
    for (payload, message) in [
        ("{\"a\":", "Could not parse request body into json"),
        ("\u{99}", "Could not parse request body into json"),
    ] {
        let (code, refused) = aws.refused_invocation(name, payload).await?;
        ensure!(code == "InvalidRequestContentException", "{code}");
        ensure!(refused.contains(message), "{refused}");
    }
    // The payload is not an event of an API: a real invocation would fail.
    let qualified = format!("{}:$LATEST", name.trim_end_matches(":live"));
    for name in [name, &qualified] {
        ensure!(aws.invoke_dry(name, &json!({})).await? == 204);
    }
    Ok(())
}

async fn one_key_for_two_orders_of_a_batch_request_is_refused(stack: Arc<Stack>) -> Result<()> {
    let (sku, key) = (stack.article(10).await?, new_key());
    let entry = |quantity| json!({"order": order(&[(&sku, quantity)]), "idempotency_key": key});
    let results = stack
        .api
        .place_batch(&[entry(1), entry(2), entry(1)])
        .await?;
    let statuses: Vec<_> = results.iter().map(|result| &result["status"]).collect();
    ensure!(statuses == [202, 422, 202], "{results:?}");
    ensure!(
        results[1]["type"] == "invalid-idempotency-key" && results[0] == results[2],
        "{results:?}"
    );
    let id = results[0]["id"].as_str().context("no id")?;
    stack.api.settled(id).await?;
    ensure!(stack.aws()?.in_stock(&sku).await? == 9);
    Ok(())
}

async fn one_odd_record_fails_alone(stack: Arc<Stack>) -> Result<()> {
    let (aws, sku) = (stack.aws()?, stack.article(100).await?);
    let unused = json!({"trace": {"dataType": "Binary", "binaryValue": "base64Str"}});
    let mut ids = Vec::new();
    // Each row has a member, an odd value for it, and whether the order is still stored.
    for (member, odd, is_stored) in [
        ("messageAttributes", unused, true),
        (
            "messageAttributes",
            json!({"trace": {"stringListValues": null}}),
            true,
        ),
        ("attributes", json!({"ApproximateReceiveCount": 1}), true),
        ("attributes", Value::Null, true),
        ("body", json!(7), false),
        ("body", Value::Null, false),
        ("body", json!({"lines": []}), false),
    ] {
        let [id, neighbour] = [new_id()?, new_id()?];
        let body = |id| anyhow::Ok((placed(id, &order(&[(&sku, 1)]))?.to_json(), 1));
        let mut batch = sqs_event(&[body(id)?, body(neighbour)?]);
        batch["Records"][0][member] = odd.clone();
        let failed = aws.process(&batch).await?;
        let expected = if is_stored { vec![] } else { vec!["0"] };
        ensure!(failed == expected, "{member} {odd}: {failed:?}");
        ids.push(neighbour);
        ids.extend(is_stored.then_some(id));
    }
    for id in ids {
        let row = aws.record(&id.to_string()).await?.context("no row")?;
        ensure!(row.outcome == Outcome::Confirmed);
    }
    Ok(())
}

async fn each_caller_is_a_client_of_its_own(stack: Arc<Stack>) -> Result<()> {
    let (aws, key) = (stack.aws()?, new_key());
    let sent = order(&[(UNKNOWN, 1)]);
    let callers = [
        json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/ANN", "userId": "AIDAANN"}}),
        json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/BEN", "userId": "AIDABEN"}}),
        json!({"lambda": {"principalId": "ann"}}),
        json!({"lambda": {"principalId": "ben"}}),
        json!({"jwt": {"claims": {"iss": "https://a", "sub": "ann"}}}),
        json!({"jwt": {"claims": {"iss": "https://b", "sub": "ann"}}}),
        json!({"jwt": {"claims": {"iss": "https://a", "client_id": "ann"}}}),
    ];
    let headers = json!({"content-type": "application/json", "idempotency-key": key});
    let mut locations = BTreeSet::new();
    for caller in &callers {
        let event = event("POST", "/orders", &headers, caller, &sent);
        let answer = aws.invoke(&aws.names.ingest, &event).await?;
        ensure!(answer["statusCode"] == 202, "{caller}: {answer}");
        let location = answer["headers"]["location"]
            .as_str()
            .context("no location")?;
        locations.insert(location.to_owned());
    }
    ensure!(locations.len() == callers.len(), "{locations:?}");
    for location in &locations {
        let (path, _) = location.split_once('?').context("no hint")?;
        let mut found = 0;
        for caller in &callers {
            let event = event("GET", &format!("/{path}"), &json!({}), caller, &json!(""));
            let answer = aws.invoke(&aws.names.status, &event).await?;
            ensure!(
                answer["statusCode"] == 200 || answer["statusCode"] == 404,
                "{answer}"
            );
            found += usize::from(answer["statusCode"] == 200);
        }
        ensure!(found == 1, "{found} clients found {location}");
    }
    Ok(())
}

async fn an_authorizer_that_names_no_client_is_refused(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    let sent = order(&[(UNKNOWN, 1)]);
    for authorizer in [
        json!({"lambda": {"tenant": "ann"}}),
        json!({"lambda": null}),
    ] {
        let headers = json!({"content-type": "application/json"});
        let event = event("POST", "/orders", &headers, &authorizer, &sent);
        let answer = aws.invoke(&aws.names.ingest, &event).await?;
        ensure!(answer["statusCode"] == 403, "{authorizer}: {answer}");
    }
    Ok(())
}

async fn a_caller_who_signs_is_known_by_the_signature(_: Arc<Stack>) -> Result<()> {
    let stack = Stack::local(&["Authorizer=AWS_IAM"]).await?;
    let sent = order(&[(UNKNOWN, 1)]).to_string();
    // `local` takes the access key as its user, and verifies nothing. All callers share one API key.
    let api = stack.api.with_key(Some("one for all"));
    let signed = |name: &str| {
        format!("AWS4-HMAC-SHA256 Credential={name}/20261126/us-east-1/execute-api/aws4_request")
    };
    let post = async |name: &str| {
        let signature = signed(name);
        let headers = [
            JSON,
            ("idempotency-key", "k1"),
            ("authorization", &*signature),
        ];
        let reply = api
            .send(Method::POST, "/orders", &headers, sent.clone())
            .await?;
        ensure!(reply.status == 202, "{reply:?}");
        Ok(reply.json()?["id"].as_str().context("no id")?.to_owned())
    };
    let (ann, ben) = (post("ANN").await?, post("BEN").await?);
    ensure!(ann != ben && post("ANN").await? == ann);
    for (name, id, status) in [("ANN", &ann, 200), ("BEN", &ben, 200), ("BEN", &ann, 404)] {
        let signature = signed(name);
        let headers = [("authorization", &*signature)];
        let reply = api
            .send(Method::GET, &format!("/orders/{id}"), &headers, "")
            .await?;
        ensure!(reply.status == status, "{name} {id}: {reply:?}");
    }
    // Without a signature the key alone grants nothing.
    let reply = api.send(Method::POST, "/orders", &[JSON], sent).await?;
    ensure!(reply.status == 404, "{reply:?}");
    stack.stop().await;
    Ok(())
}

async fn a_location_below_a_slash_leads_to_the_order(stack: Arc<Stack>) -> Result<()> {
    let sent = order(&[(UNKNOWN, 1)]).to_string();
    let api = &stack.api;
    for path in ["/orders", "/orders/"] {
        let reply = api.send(Method::POST, path, &[JSON], sent.clone()).await?;
        ensure!(reply.status == 202, "{reply:?}");
        let location = reply.header("location").context("no location")?;
        // Resolves the location as RFC 3986 does.
        let (folder, _) = path.rsplit_once('/').context("no folder")?;
        let found = api
            .send(Method::GET, &format!("{folder}/{location}"), &[], "")
            .await?;
        ensure!(found.status == 200, "{path} and {location}: {found:?}");
        let (location, _) = location.split_once('?').context("no hint")?;
        let slash = api
            .send(Method::GET, &format!("{folder}/{location}/"), &[], "")
            .await?;
        ensure!(slash.status == 200, "{path} and {location}/: {slash:?}");
    }
    Ok(())
}
