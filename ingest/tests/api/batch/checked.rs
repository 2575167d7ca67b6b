//! Each order is checked on its own, by the rules for single orders.

use super::{accept, answer, batch, event, order, results, sqs, statuses, stored};
use crate::faked::{TRACE, sample};
use anyhow::{Context, Result};
use events::{OrderPlaced, order::MAX_ORDER_BYTES};
use ingest::accept_batch::MAX_BATCH_BYTES;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Returns the pointers of a problem's violations.
fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| error["pointer"].as_str())
        .collect()
}

#[tokio::test]
async fn good_orders_are_sent_and_bad_ones_named_in_the_order_given() -> Result<()> {
    let sample = sample("batch-request")?;
    let (response, calls) = accept(sample["body"].as_str().context("no body")?).await?;
    assert_eq!(
        (response.status, response.headers["retry-after"].as_str()),
        (202, "2")
    );
    assert_eq!(response.headers["content-type"], "application/json");
    assert_eq!(statuses(&response)?, [202, 422, 202, 422, 422, 202]);
    let results = results(&response)?;
    assert_eq!(results[0].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(
        pointers(&results[1]),
        [
            "/orders/1/order/lines/0/quantity",
            "/orders/1/order/lines/1/sku",
            "/orders/1/order/lines/1/unit_price",
            "/orders/1/order/lines/2/quantitty",
            "/orders/1/order/lines/2/quantity",
            "/orders/1/order/currency"
        ]
    );
    assert_eq!(results[3]["type"], "invalid-idempotency-key");
    assert_eq!(pointers(&results[4]), ["/orders/4/ordr", "/orders/4/order"]);
    // One order, sent twice with one key.
    assert_eq!(results[0], results[5]);
    assert_ne!(results[0], results[2]);

    let [call] = &calls[..] else {
        anyhow::bail!("{calls:?}")
    };
    for (entry, result) in call.iter().zip([0, 2, 5]) {
        let placed = OrderPlaced::from_json(entry["MessageBody"].as_str().context("no body")?)?;
        assert_eq!(results[result]["id"], placed.id().to_string());
        assert_eq!(entry["MessageGroupId"], placed.client().message_group());
        assert_eq!(
            entry["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"],
            TRACE
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_orders_are_ten_calls() -> Result<()> {
    let skus: Vec<_> = (0..100).map(|n| format!("a{n}")).collect();
    let (response, calls) = accept(&batch(skus.iter().map(String::as_str))).await?;
    assert_eq!(statuses(&response)?, [202; 100]);
    assert_eq!(calls.len(), 10);
    let bodies = calls
        .iter()
        .flatten()
        .map(|entry| entry["MessageBody"].as_str());
    let bodies = bodies.collect::<Option<Vec<_>>>().context("no body")?;
    for ((body, sku), result) in bodies.into_iter().zip(&skus).zip(results(&response)?) {
        let placed = OrderPlaced::from_json(body)?;
        assert_eq!(
            (placed.order().lines()[0].sku(), json!(placed.id())),
            (&**sku, result["id"].clone())
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_without_a_valid_order_is_a_problem_and_sends_nothing() -> Result<()> {
    let (response, calls) = accept(&json!({"orders": [{"order": {}}, 7, {"order": null}]})).await?;
    assert_eq!((response.status, calls.len()), (422, 0));
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!(statuses(&response)?, [422; 3]);
    let problem = response.document()?;
    assert_eq!(
        (&problem["type"], &problem["status"]),
        (&json!("about:blank"), &json!(422))
    );
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_an_entry_fails_only_that_entry() -> Result<()> {
    let check = async |entry: Value, status: u64, expected: &[&str]| {
        let body = json!({"orders": [{"order": order("cup")}, entry, {"order": order("cup")}]});
        let (response, calls) = accept(&body).await?;
        assert_eq!(statuses(&response)?, [202, status, 202], "{body}");
        assert_eq!(pointers(&results(&response)?[1]), expected, "{body}");
        assert_eq!(calls[0].len(), 2);
        anyhow::Ok(())
    };
    let cup = order("cup");
    check(json!("cup"), 422, &["/orders/1"]).await?;
    check(json!({}), 422, &["/orders/1/order"]).await?;
    check(
        cup.clone(),
        422,
        &["/orders/1/currency", "/orders/1/lines", "/orders/1/order"],
    )
    .await?;
    check(json!({"order": [cup.clone()]}), 422, &["/orders/1/order"]).await?;
    check(
        json!({"order": cup.clone(), "key": "k"}),
        422,
        &["/orders/1/key"],
    )
    .await?;
    let key = "/orders/1/idempotency_key";
    check(
        json!({"order": cup.clone(), "idempotency_key": 1}),
        422,
        &[key],
    )
    .await?;
    check(
        json!({"order": cup.clone(), "idempotency_key": ""}),
        422,
        &[],
    )
    .await?;
    check(
        json!({"order": {"currency": "EUR"}, "idempotency_key": 1}),
        422,
        &[key, "/orders/1/order/lines"],
    )
    .await?;
    for bad in ["", "two words", "a,a", "a,b", &"k".repeat(256)] {
        check(
            json!({"order": cup.clone(), "idempotency_key": bad}),
            422,
            &[],
        )
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_order_in_a_batch_has_the_limit_of_a_single_one() -> Result<()> {
    let order = order("cup").to_string();
    let padded = |bytes: usize| format!("{{{}{}", " ".repeat(bytes - order.len()), &order[1..]);
    let (just, over) = (padded(MAX_ORDER_BYTES), padded(MAX_ORDER_BYTES + 1));
    let (response, calls) = accept(&format!(
        r#"{{"orders":[{{"order":{just}}},{{"order":{over}}}]}}"#
    ))
    .await?;
    assert_eq!(statuses(&response)?, [202, 413]);
    assert_eq!(calls[0].len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_the_batch_is_a_problem_as_a_whole() -> Result<()> {
    let check = async |body: &str, status: u16, expected: &[&str]| {
        let (response, calls) = accept(body).await?;
        let problem = response.document()?;
        assert_eq!(response.status, status, "{problem}");
        assert_eq!(response.headers["content-type"], "application/problem+json");
        assert_eq!(pointers(&problem), expected, "{problem}");
        assert!(problem.get("results").is_none(), "{problem}");
        assert!(calls.is_empty());
        anyhow::Ok(())
    };
    check("", 400, &[]).await?;
    check("{", 400, &[]).await?;
    check("null", 422, &[""]).await?;
    check("[]", 422, &[""]).await?;
    check("{}", 422, &["/orders"]).await?;
    check(r#"{"orders":{}}"#, 422, &["/orders"]).await?;
    check(r#"{"orders":[]}"#, 422, &["/orders"]).await?;
    let good = batch(["cup"]).to_string();
    check(&good.replacen('{', r#"{"note":1,"#, 1), 422, &["/note"]).await?;
    check(
        &good.replacen('{', r#"{"orders":[7],"#, 1),
        422,
        &["/orders"],
    )
    .await?;
    check(&batch(["cup"; 101]).to_string(), 422, &["/orders"]).await?;
    let padded = |bytes: usize| good.clone() + &" ".repeat(bytes - good.len());
    assert_eq!(accept(&padded(MAX_BATCH_BYTES)).await?.0.status, 202);
    check(&padded(MAX_BATCH_BYTES + 1), 413, &[]).await
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_a_problem_as_a_whole() -> Result<()> {
    let check = async |changed: &str, value: Value, status: u16| {
        let mut event = event(&batch(["cup"]))?;
        event["multiValueHeaders"] = Value::Null;
        *event.pointer_mut(changed).context("no such place")? = value;
        let (client, calls) = sqs(stored);
        let response = answer(event, client).await?;
        assert_eq!(response.status, status, "{changed}: {response:?}");
        let sent = usize::from(status == 202);
        assert_eq!(calls.lock().expect("no panic in here").len(), sent);
        anyhow::Ok(response)
    };
    check("/stageVariables", Value::Null, 202).await?;
    check("/headers/Content-Type", json!("text/plain"), 415).await?;
    check("/isBase64Encoded", json!(true), 400).await?;
    for method in ["GET", "PUT", "HEAD"] {
        let response = check("/httpMethod", json!(method), 405).await?;
        assert_eq!(response.headers["allow"], "POST");
    }
    // Must not be ignored: a client that sends it relies on it.
    let headers = json!({"Content-Type": "application/json", "Idempotency-Key": "k"});
    check("/headers", headers, 422).await?;
    Ok(())
}

#[tokio::test]
async fn an_anonymous_client_may_send_a_batch_without_keys() -> Result<()> {
    let body = json!({"orders": [{"order": order("cup")}, {"order": order("cup"), "idempotency_key": "k"}]});
    let mut event = event(&body)?;
    event["requestContext"]["identity"] = Value::Null;
    let response = answer(event, sqs(stored).0).await?;
    assert_eq!(statuses(&response)?, [202, 422]);
    assert_eq!(results(&response)?[1]["type"], "invalid-idempotency-key");
    Ok(())
}

#[tokio::test]
async fn one_key_for_two_orders_accepts_the_first_and_refuses_the_others() -> Result<()> {
    let entry = |sku: &str, key: &str| json!({"order": order(sku), "idempotency_key": key});
    let check = async |entries: Vec<Value>, expected: &[u64], sent: usize| {
        let (response, calls) = accept(&json!({"orders": entries})).await?;
        assert_eq!(statuses(&response)?, expected);
        let refused = results(&response)?
            .into_iter()
            .filter(|result| result["status"] == 422);
        for result in refused {
            assert_eq!(result["type"], "invalid-idempotency-key");
        }
        let messages: Vec<_> = calls.iter().flatten().collect();
        assert_eq!(messages.len(), sent);
        // An order that is sent twice is queued twice, under different entry ids.
        let names: BTreeSet<_> = messages
            .iter()
            .map(|message| message["Id"].to_string())
            .collect();
        assert!(calls.len() > 1 || names.len() == sent, "{calls:?}");
        anyhow::Ok(results(&response)?)
    };
    check(vec![entry("cup", "k"), entry("pot", "k")], &[202, 422], 1).await?;
    let results = check(vec![entry("cup", "k"), entry("cup", "k")], &[202, 202], 2).await?;
    assert_eq!(results[0]["id"], results[1]["id"]);
    let three = vec![entry("cup", "k"), entry("pot", "k"), entry("cup", "k")];
    check(three, &[202, 422, 202], 2).await?;
    let others = vec![
        entry("cup", "k"),
        entry("pot", "l"),
        json!({"order": order("pot")}),
        entry("can", "l"),
    ];
    check(others, &[202, 202, 202, 422], 3).await?;
    let many: Vec<_> = (0..100)
        .map(|n| entry(if n == 0 { "cup" } else { "pot" }, "k"))
        .collect();
    let expected: Vec<_> = (0..100).map(|n| if n == 0 { 202 } else { 422 }).collect();
    check(many, &expected, 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_null_is_absent() -> Result<()> {
    let entry = json!({"order": order("cup"), "idempotency_key": null});
    let (response, _) = accept(&json!({"orders": [entry, entry]})).await?;
    assert_eq!(statuses(&response)?, [202, 202]);
    let results = results(&response)?;
    assert_ne!(results[0]["id"], results[1]["id"], "two orders");
    Ok(())
}

#[tokio::test]
async fn the_longest_answer_fits_in_lambdas_six_megabytes() -> Result<()> {
    // As many violations as 4 MB hold, with names that grow when they are escaped twice.
    for (character, full) in [(r#"\""#, 100), (r"\u0001", 40)] {
        let name = format!(r#""{}":1"#, character.repeat(64));
        let order = format!("{{{}}}", vec![name; 256].join(","));
        let entries = |order: &str, n: usize| vec![format!(r#"{{"order":{order}}}"#); n];
        let orders = [entries(&order, full), entries("{}", 100 - full)].concat();
        let (response, _) = accept(&format!(r#"{{"orders":[{}]}}"#, orders.join(","))).await?;
        assert_eq!(statuses(&response)?, [422; 100]);
        let results = results(&response)?;
        assert!(results.iter().all(|result| !pointers(result).is_empty()));
        let bytes = response.json.len();
        assert!(bytes < 6_000_000, "{bytes}");
    }
    Ok(())
}
