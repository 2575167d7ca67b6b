use super::*;
use crate::{
    faked::{Fake, Text, operator, order, refused},
    reason::Reason,
};
use events::Outcome;
use serde_json::{Value, json};
use std::sync::Mutex;

/// Returns this many letters of failed orders, each with its row, and the same number of poison messages.
fn buried(count: u8) -> Result<(Fake, Vec<String>)> {
    let (fake, mut bodies) = (Fake::default(), Vec::new());
    for n in 0..count {
        let placed = order(n, 1)?;
        fake.settle(&placed, Outcome::Failed)?;
        fake.bury(&format!("failed {n}"), &placed.to_json(), json!({}));
        fake.bury(&format!("poison {n}"), "poison", json!({}));
        bodies.push(placed.to_json());
    }
    Ok((fake, bodies))
}

fn failed() -> Selection {
    Selection {
        reasons: vec![Reason::Failed],
        ..Selection::default()
    }
}

async fn run(fake: &Fake, selection: &Selection, dry_run: bool) -> (Result<End>, String) {
    let (text, (_want, stop)) = (Text::default(), operator());
    let end = redrive(
        &fake.stack(),
        &stop,
        selection,
        dry_run,
        &mut text.console(),
    )
    .await;
    (end, text.read())
}

#[tokio::test]
async fn the_chosen_are_sent_and_the_others_given_back() -> Result<()> {
    let (fake, bodies) = buried(12)?;
    let (end, text) = run(&fake, &failed(), false).await;
    assert_eq!(end?, End::Done, "{text}");
    let held = fake.held();
    assert_eq!(held.bodies(), bodies);
    assert!(held.hidden.is_empty() && held.letters.len() == 12);
    assert!(held.ids().iter().all(|id| id.starts_with("poison")));
    assert!(
        text.ends_with("12 redriven, 0 refused, 12 stay\n"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_letter_is_deleted_only_when_sqs_has_its_order() -> Result<()> {
    let (fake, bodies) = buried(12)?;
    let other = bodies[3].clone();
    fake.interfere(move |call, request| {
        let entries = request["Entries"].as_array()?;
        let (failed, done): (Vec<_>, Vec<_>) = entries
            .iter()
            .partition(|entry| entry["MessageBody"] == *other);
        let failure =
            |entry: &&Value| json!({"Id": entry["Id"], "Code": "Busy", "SenderFault": false});
        let success =
            |entry: &&Value| json!({"Id": entry["Id"], "MessageId": "", "MD5OfMessageBody": ""});
        (call == "SendMessageBatch" && !failed.is_empty()).then(|| {
            let failed: Value = failed.iter().map(failure).collect();
            let done: Value = done.iter().map(success).collect();
            (200, json!({"Successful": done, "Failed": failed}))
        })
    });
    let (end, text) = run(&fake, &failed(), false).await;
    assert_eq!(end?, End::Incomplete);
    let held = fake.held();
    let left: Vec<_> = held
        .ids()
        .into_iter()
        .filter(|id| !id.starts_with("poison"))
        .collect();
    assert_eq!(left, ["failed 3"]);
    assert!(held.hidden.is_empty());
    // Refused ones are sent twice.
    let sends = held.calls.iter().filter(|call| *call == "SendMessageBatch");
    assert_eq!(sends.count(), 4);
    assert!(
        text.ends_with("11 redriven, 1 refused, 12 stay\n"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_queue_or_a_table_that_is_down_costs_no_letter() -> Result<()> {
    for down in [
        "SendMessageBatch",
        "DeleteMessageBatch",
        "GetItem",
        "ReceiveMessage",
    ] {
        let (fake, _) = buried(12)?;
        let calls = Mutex::new(0);
        fake.interfere(move |call, _| {
            let mut calls = calls.lock().expect("no panic in here");
            *calls += usize::from(call == down);
            // The second call of its kind: by then, something was received.
            (call == down && *calls == 2).then(|| refused("AccessDenied"))
        });
        let (end, text) = run(&fake, &failed(), false).await;
        assert!(end.is_err(), "{down}: {text}");
        let held = fake.held();
        assert!(held.hidden.is_empty(), "{down}");
        let (dead, sent) = (held.letters.len(), held.sent.len());
        let doubled = if down == "DeleteMessageBatch" { 5 } else { 0 };
        assert_eq!(dead + sent, 24 + doubled, "{down}");
    }
    Ok(())
}

#[tokio::test]
async fn a_letter_keeps_its_group_and_its_trace() -> Result<()> {
    let (fake, placed) = (Fake::default(), order(1, 1)?);
    let trace = "Root=1-65b0f1c2-0123456789abcdef01234567";
    fake.bury(
        "a",
        &placed.to_json(),
        json!({"MessageGroupId": "g", "AWSTraceHeader": trace}),
    );
    fake.bury("b", &placed.to_json(), json!({}));
    fake.bury("c", "poison", json!({}));
    let (end, _) = run(&fake, &Selection::default(), false).await;
    assert_eq!(end?, End::Done);
    let held = fake.held();
    let group = |n: usize| &held.sent[n]["MessageGroupId"];
    assert_eq!((group(0), group(2)), (&json!("g"), &Value::Null));
    assert_eq!(group(1), &json!(placed.client().message_group()));
    let header = &held.sent[0]["MessageSystemAttributes"]["AWSTraceHeader"];
    assert_eq!(header["StringValue"], trace);
    assert_eq!(held.sent[1]["MessageSystemAttributes"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn an_interruption_finishes_its_page_and_a_second_run_the_rest() -> Result<()> {
    let (fake, mut bodies) = buried(12)?;
    let (text, (want, stop)) = (Text::default(), operator());
    // The operator stops the work while the first page is being sent.
    fake.interfere(move |call, _| {
        if call == "SendMessageBatch" {
            want.send_replace(true);
        }
        None
    });
    let end = redrive(&fake.stack(), &stop, &failed(), false, &mut text.console()).await?;
    assert_eq!(end, End::Interrupted);
    {
        let held = fake.held();
        assert_eq!((held.sent.len(), held.letters.len()), (5, 19));
        assert!(held.hidden.is_empty());
    }
    fake.interfere(|_, _| None);
    assert_eq!(run(&fake, &failed(), false).await.0?, End::Done);
    let held = fake.held();
    let mut sent = held.bodies();
    sent.sort_unstable();
    bodies.sort_unstable();
    assert_eq!(sent, bodies);
    Ok(())
}

#[tokio::test]
async fn what_comes_back_as_a_dead_letter_is_not_sent_again() -> Result<()> {
    let fake = Fake::default();
    for n in 0..10 {
        fake.bury(&format!("poison {n}"), "poison", json!({}));
    }
    fake.held().comes_back = true;
    let (end, text) = run(&fake, &Selection::default(), false).await;
    assert_eq!(end?, End::Done);
    assert!(text.ends_with("10 redriven, 0 refused, 0 stay\n"), "{text}");
    let held = fake.held();
    assert_eq!((held.sent.len(), held.letters.len()), (10, 10));
    assert!(held.hidden.is_empty());
    Ok(())
}

#[tokio::test]
async fn each_copy_of_an_order_is_redriven_and_an_unknown_id_reported() -> Result<()> {
    let (fake, placed) = (Fake::default(), order(1, 1)?);
    for id in ["a", "b"] {
        fake.bury(id, &placed.to_json(), json!({}));
    }
    fake.bury("c", "poison", json!({}));
    let ids = |ids: &[&str]| Selection {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..Selection::default()
    };
    let order_id = placed.id().to_string();
    let (end, text) = run(&fake, &ids(&[&order_id, "unknown"]), false).await;
    assert_eq!(end?, End::Incomplete);
    {
        let held = fake.held();
        assert_eq!((held.sent.len(), held.ids()), (2, vec!["c"]), "{text}");
    }
    assert_eq!(run(&fake, &ids(&["c"]), false).await.0?, End::Done);
    assert!(fake.held().letters.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_dry_run_reports_and_changes_nothing() -> Result<()> {
    let (fake, _) = buried(12)?;
    let (end, text) = run(&fake, &failed(), true).await;
    assert_eq!(end?, End::Done);
    let held = fake.held();
    assert!(held.sent.is_empty() && held.hidden.is_empty() && held.letters.len() == 24);
    assert_eq!(text.matches("failed  would be redriven").count(), 12);
    assert!(
        text.ends_with("12 would be redriven, 0 refused, 12 stay\n"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn large_orders_go_one_by_one() -> Result<()> {
    let fake = Fake::default();
    for n in 0..10 {
        fake.bury(&n.to_string(), &"x".repeat(110_000), json!({}));
    }
    let (end, _) = run(&fake, &Selection::default(), false).await;
    assert_eq!(end?, End::Done);
    let held = fake.held();
    let sends = held.calls.iter().filter(|call| *call == "SendMessageBatch");
    assert_eq!((sends.count(), held.sent.len()), (10, 10));
    Ok(())
}
