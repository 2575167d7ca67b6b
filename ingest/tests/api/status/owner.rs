//! An order is shown to its client only, and a reused key shows no other order.

use crate::faked::{answering, ask, ask_by, config, sample, statuses};
use anyhow::{Context as _, Result};
use events::{Client, OrderIds, Secret, Timestamp};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::SystemTime,
};

#[tokio::test]
async fn an_order_is_found_by_its_row_however_often_the_secret_was_rotated() -> Result<()> {
    let ids = |secrets: [&str; 2]| {
        let [signing, other] = secrets.map(|secret| Secret::new(secret.repeat(32)));
        anyhow::Ok(OrderIds::new(signing?, vec![other?]))
    };
    let client = Client::identified("ann");
    let old = ids(["a", "b"])?.fresh(&client, [1; 12]);
    let check = async |secrets, owner: Option<&str>, expected: u16| {
        let mut row = sample("order-record")?;
        row["id"] = json!({"S": old});
        row["client"] = json!({"S": owner});
        let table = owner.map_or(json!({}), |_| json!({"Item": row}));
        let reads = Arc::<AtomicUsize>::default();
        let seen = reads.clone();
        let config = config(answering(move |request| {
            seen.fetch_add(usize::from(request.get("Key").is_some()), Relaxed);
            (200, table.clone())
        }));
        let mut statuses = statuses(&config.build())?;
        statuses.ids = ids(secrets)?;
        let mut event = sample("status")?;
        event["pathParameters"]["id"] = json!(old);
        event["requestContext"]["identity"]["apiKeyId"] = json!("ann");
        let answer = ask_by(&event, &statuses).await?;
        assert_eq!(answer.status, expected, "{secrets:?} {owner:?}");
        assert_eq!(reads.load(Relaxed), 1, "a well-formed id costs one read");
        anyhow::Ok(answer.document()?["status"].clone())
    };
    for secrets in [["a", "b"], ["b", "a"], ["c", "b"], ["d", "c"]] {
        assert_eq!(check(secrets, Some("ann"), 200).await?, "confirmed");
        check(secrets, Some("ben"), 404).await?;
    }
    // Without a row, the id itself identifies its client, by the known secrets.
    assert_eq!(check(["b", "a"], None, 200).await?, "queued");
    check(["c", "b"], None, 404).await?;
    Ok(())
}

#[tokio::test]
async fn a_reused_key_is_reported_to_the_client_who_reused_it() -> Result<()> {
    let row = sample("order-record")?;
    let mine = row["fingerprint"]["S"].as_str().context("none")?.to_owned();
    let other = format!("{}{}", &mine[..9], "0".repeat(55));
    let check = async |fingerprint: Value, row: Option<&Value>, expected: u16| {
        let (table, reads) = (row.cloned(), Arc::<AtomicUsize>::default());
        let seen = reads.clone();
        let config = config(answering(move |request| {
            seen.fetch_add(usize::from(request.get("Key").is_some()), Relaxed);
            (
                200,
                table.as_ref().map_or(json!({}), |row| json!({"Item": row})),
            )
        }))
        .build();
        let mut event = sample("status")?;
        event["multiValueQueryStringParameters"] = json!({"fingerprint": fingerprint});
        let answer = ask(&event, &config).await?;
        assert_eq!(answer.status, expected, "{fingerprint}");
        assert_eq!(reads.load(Relaxed), usize::from(expected != 422));
        let is_final = !answer.headers.contains_key("retry-after");
        assert_eq!(is_final, expected != 200 || row.is_some());
        if expected == 409 {
            let problem = answer.document()?;
            assert_eq!(problem["type"], "idempotency-key-reused");
            assert!(problem.get("order").is_none(), "{problem}");
        }
        anyhow::Ok(())
    };
    for good in [&mine[..8], &mine[..8].to_uppercase(), &mine[..9], &mine] {
        check(json!([good]), Some(&row), 200).await?;
        check(json!([good]), None, 200).await?;
    }
    let mut failed = row.clone();
    failed["status"] = json!({"S": "failed"});
    failed["processed_at"] = json!({"S": Timestamp::from(SystemTime::now())});
    let mut theirs = row.clone();
    theirs["client"] = json!({"S": "ben"});
    for wrong in ["00000000", "ffffffff", &other] {
        check(json!([wrong]), Some(&row), 409).await?;
        // The provisional `failed` row belongs to that order, too.
        check(json!([wrong]), Some(&failed), 409).await?;
        check(json!([wrong]), Some(&theirs), 404).await?;
        check(json!([wrong]), None, 200).await?;
    }
    for odd in [
        json!([""]),
        json!([&mine[..7]]),
        json!([format!("{mine}0")]),
        json!(["1f3a9c0g"]),
        json!(["1f3a9c0\u{e4}"]),
        json!([&mine[..8], &mine[..8]]),
    ] {
        check(odd.clone(), Some(&row), 422).await?;
    }
    check(Value::Null, Some(&row), 200).await
}
