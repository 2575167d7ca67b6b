//! `GET /orders?ids=`. `each` tests that every id gets its own answer, whatever is wrong with others.

mod each;

use crate::faked::{Answer, answering, ask_by, config, http, ids, rest, statuses};
use anyhow::{Context, Result};
use aws_sdk_sqs::config::retry::RetryConfig;
use events::{Client, OrderId};
use serde_json::{Map, Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Rows of DynamoDB, by id.
type Rows = Arc<Map<String, Value>>;

/// A row with these attributes, beside those that every row has.
fn row(id: OrderId, client: &str, attributes: &Value) -> (String, Value) {
    let mut row = json!({"id": {"S": id.to_string()}, "client": {"S": client}, "total": {"N": "2500"},
        "placed_at": {"S": "2026-11-26T09:00:00.120Z"}, "processed_at": {"S": "2026-11-26T09:00:01.030Z"}});
    for (name, value) in attributes.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    (id.to_string(), row)
}

/// Asks for these ids. The table has these rows, but serves only `most` keys of each call.
async fn ask(event: Value, rows: &Rows, most: usize) -> Result<(Answer, usize)> {
    let calls = Arc::<AtomicUsize>::default();
    let (rows, seen) = (rows.clone(), calls.clone());
    let client = answering(move |request| {
        let Some(keys) = request["RequestItems"]["orders"]["Keys"].as_array() else {
            panic!("only the table is asked: {request}");
        };
        assert_eq!(request["RequestItems"]["orders"]["ConsistentRead"], true);
        assert!((1..=100).contains(&keys.len()));
        seen.fetch_add(1, Relaxed);
        let (now, later) = keys.split_at(most.min(keys.len()));
        let found = now
            .iter()
            .filter_map(|key| rows.get(key["id"]["S"].as_str()?));
        let mut answer = json!({"Responses": {"orders": found.collect::<Vec<_>>()}});
        if !later.is_empty() {
            let mut open = request["RequestItems"].clone();
            open["orders"]["Keys"] = json!(later);
            answer["UnprocessedKeys"] = open;
        }
        (200, answer)
    });
    let config = config(client).retry_config(RetryConfig::disabled()).build();
    let answer = ask_by(&event, &statuses(&config)?).await?;
    Ok((answer, calls.load(Relaxed)))
}

/// A REST API's event that asks for these ids.
fn event(ids: &str) -> Value {
    let context = json!({"identity": {"apiKeyId": "ann"}});
    rest(
        json!({"httpMethod": "GET", "resource": "/orders", "path": "/orders", "requestContext": context,
        "queryStringParameters": {"ids": ids}, "multiValueQueryStringParameters": {"ids": [ids]}}),
    )
}

fn fresh(client: &str, n: u8) -> Result<OrderId> {
    Ok(ids()?.fresh(&Client::identified(client), [n; 12]))
}

#[tokio::test(start_paused = true)]
async fn each_order_is_reported_once_in_the_sequence_asked() -> Result<()> {
    let mine: Vec<_> = (0..5).map(|n| fresh("ann", n)).collect::<Result<_>>()?;
    let theirs = fresh("ben", 9)?;
    let rows: Rows = Arc::new(
        [
            row(mine[0], "ann", &json!({"status": {"S": "confirmed"}})),
            row(
                mine[1],
                "ann",
                &json!({"status": {"S": "rejected"}, "reason": {"S": "out_of_stock"}}),
            ),
            row(mine[2], "ann", &json!({"status": {"S": "failed"}})),
            // By its mark the id is ann's, by its row ben's.
            row(mine[3], "ben", &json!({"status": {"S": "confirmed"}})),
            row(theirs, "ben", &json!({"status": {"S": "confirmed"}})),
        ]
        .into_iter()
        .collect(),
    );
    let upper = mine[0].to_string().to_uppercase();
    let asked = [
        &mine[4].to_string(),
        &mine[1].to_string(),
        &theirs.to_string(),
        &mine[0].to_string(),
        &upper,
        &mine[2].to_string(),
        "no-id",
        &mine[3].to_string(),
        &mine[1].to_string(),
    ]
    .join(",");
    for most in [100, 2, 1] {
        let (answer, calls) = ask(event(&asked), &rows, most).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            calls,
            6_usize.div_ceil(most),
            "keys that are left out are asked for again"
        );
        let reported = answer.document()?["results"]
            .as_array()
            .context("no results")?
            .clone();
        let short = |entry: &Value| {
            let text = |name: &str| entry[name].as_str().map(str::to_owned);
            (
                text("id"),
                text("status").or_else(|| Some(entry["status"].to_string())),
                text("reason"),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            (some(&mine[4].to_string()), some("queued"), None),
            (
                some(&mine[1].to_string()),
                some("rejected"),
                some("out_of_stock"),
            ),
            (some(&theirs.to_string()), some("404"), None),
            (some(&mine[0].to_string()), some("confirmed"), None),
            (some(&mine[2].to_string()), some("failed"), None),
            (None, some("404"), None),
            (some(&mine[3].to_string()), some("404"), None),
        ];
        assert_eq!(reported.iter().map(short).collect::<Vec<_>>(), expected);
        assert_eq!(
            (&reported[3]["total"], &reported[3]["processed_at"]),
            (&json!(2500), &json!("2026-11-26T09:00:01.030Z"))
        );
        assert!(
            reported
                .iter()
                .all(|entry| entry.get("client").is_none() && entry.get("order").is_none())
        );
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    let settled = [mine[0], mine[1]].map(|id| id.to_string()).join(",");
    let (answer, _) = ask(event(&settled), &rows, 100).await?;
    assert!(
        !answer.headers.contains_key("retry-after"),
        "no order waits"
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_row_that_has_expired_counts_as_deleted_among_others() -> Result<()> {
    let mine: Vec<_> = (0..3).map(|n| fresh("ann", n)).collect::<Result<_>>()?;
    let settled = |n: usize, expires_at: &str| {
        let attributes = json!({"status": {"S": "confirmed"}, "expires_at": {"N": expires_at}});
        row(mine[n], "ann", &attributes)
    };
    let rows = [settled(0, "1"), settled(1, "99999999999")];
    let ids: Vec<_> = mine.iter().map(ToString::to_string).collect();
    let (answer, _) = ask(
        event(&ids.join(",")),
        &Arc::new(rows.into_iter().collect()),
        100,
    )
    .await?;
    let document = answer.document()?;
    let results = document["results"].as_array().context("results")?;
    let shown: Vec<_> = results
        .iter()
        .map(|entry| entry["status"].as_str())
        .collect();
    assert_eq!(shown, ["queued", "confirmed", "queued"].map(Some));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_to_a_hundred_orders_are_reported_however_the_query_has_them() -> Result<()> {
    let list = |count: u8| -> Result<String> {
        let ids: Vec<_> = (0..count)
            .map(|n| Ok(fresh("ann", n)?.to_string()))
            .collect::<Result<_>>()?;
        Ok(ids.join(","))
    };
    let check = async |event: Value, status: u16, results: usize| {
        let (answer, _) = ask(event, &Rows::default(), 100).await?;
        assert_eq!(answer.status, status, "{answer:?}");
        let reported = answer.document()?["results"].as_array().map_or(0, Vec::len);
        assert_eq!(reported, results);
        anyhow::Ok(())
    };
    check(event(&list(1)?), 200, 1).await?;
    check(event(&list(100)?), 200, 100).await?;
    check(event(&list(101)?), 422, 0).await?;
    // A repeated id counts each time, as the API's description says.
    let one = fresh("ann", 0)?.to_string();
    check(event(&[&*one; 100].join(",")), 200, 1).await?;
    check(event(&[&*one; 101].join(",")), 422, 0).await?;
    for none in ["", ",", " , ,"] {
        check(event(none), 422, 0).await?;
    }
    let mut none = event("");
    none["queryStringParameters"] = Value::Null;
    none["multiValueQueryStringParameters"] = Value::Null;
    check(none, 422, 0).await?;
    // Several parameters with this name, as each gateway passes them on.
    let mut several = event("");
    several["multiValueQueryStringParameters"] =
        json!({"ids": [list(2)?, fresh("ann", 7)?.to_string()]});
    check(several, 200, 3).await?;
    let api = json!({"rawPath": "/v1/orders/", "queryStringParameters": {"ids": format!(" {} ,", list(3)?)},
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"lambda": {"principalId": "ann"}}}});
    check(http(api), 200, 3).await?;
    let mut post = event(&list(1)?);
    post["httpMethod"] = json!("POST");
    let (answer, calls) = ask(post, &Rows::default(), 100).await?;
    assert_eq!(
        (answer.status, &*answer.headers["allow"], calls),
        (405, "GET, HEAD, POST", 0)
    );
    let mut head = event(&list(1)?);
    head["httpMethod"] = json!("HEAD");
    let (answer, _) = ask(head, &Rows::default(), 100).await?;
    assert_eq!((answer.status, &*answer.body), (200, ""));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_asks_again_for_rows_that_never_come() -> Result<()> {
    let id = fresh("ann", 1)?.to_string();
    let (answer, calls) = ask(event(&id), &Rows::default(), 0).await?;
    let wait: u64 = answer.headers["retry-after"].parse()?;
    assert_eq!(answer.status, 503);
    assert!((2..=5).contains(&wait), "{wait}");
    assert!(calls > 3, "{calls}");
    Ok(())
}
