//! Messages that SQS refuses are sent once more.

use super::{answer, batch, event, results, sqs, statuses};
use crate::faked::{Answer, silent};
use anyhow::Result;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// SQS's answer for a message.
#[derive(Clone, Copy)]
enum Says {
    Stored,
    Failed { sender_fault: bool },
    Nothing,
}
use Says::{Failed, Nothing, Stored};

/// Returns whether an entry is an order for this article.
fn is_for(entry: &Value, sku: &str) -> bool {
    let body = entry["MessageBody"].as_str().unwrap_or_default();
    body.contains(&format!(r#""sku":"{sku}""#))
}

/// Sends three orders. SQS answers for the second as given: first the one, then the other.
async fn say(says: [Says; 2]) -> Result<(Answer, Vec<Vec<Value>>)> {
    let times = AtomicUsize::new(0);
    let (client, calls) = sqs(move |entries| {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let says = if is_for(entry, "odd") {
                says[times.fetch_add(1, Ordering::SeqCst)]
            } else {
                Stored
            };
            match says {
                Stored => successful.push(json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "2"})),
                Failed { sender_fault } => failed.push(
                    json!({"Id": entry["Id"], "SenderFault": sender_fault, "Code": "InternalError", "Message": "no"}),
                ),
                Nothing => {}
            }
        }
        (200, json!({"Successful": successful, "Failed": failed}))
    });
    let response = answer(event(&batch(["cup", "odd", "pot"]))?, client).await?;
    let calls = calls.lock().expect("no panic in here").clone();
    Ok((response, calls))
}

#[tokio::test]
async fn a_refused_order_is_tried_once_more_and_its_neighbours_are_not() -> Result<()> {
    let (ours, theirs) = (
        Failed { sender_fault: true },
        Failed {
            sender_fault: false,
        },
    );
    for first in [ours, theirs, Nothing] {
        let (response, calls) = say([first, Stored]).await?;
        assert_eq!(statuses(&response)?, [202; 3]);
        let [all, again] = &calls[..] else {
            anyhow::bail!("{calls:?}")
        };
        assert_eq!((all.len(), again.len()), (3, 1));
        // It must be the same message: if SQS did store the first one, the order takes effect once.
        assert_eq!(all[1]["MessageBody"], again[0]["MessageBody"]);
        for second in [ours, theirs, Nothing] {
            let (response, calls) = say([first, second]).await?;
            assert_eq!(response.status, 202);
            assert_eq!(statuses(&response)?, [202, 503, 202]);
            assert_eq!(results(&response)?[1]["type"], "queue-unavailable");
            assert_eq!(calls.len(), 2);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_in_both_lists_is_not_taken_for_stored() -> Result<()> {
    let (client, _) = sqs(|entries| {
        let id = &entries[0]["Id"];
        let stored = json!({"Id": id, "MessageId": "1", "MD5OfMessageBody": "2"});
        let failed = json!({"Id": id, "SenderFault": false, "Code": "InternalError"});
        (200, json!({"Successful": [stored], "Failed": [failed]}))
    });
    let response = answer(event(&batch(["cup"]))?, client).await?;
    assert_eq!((response.status, statuses(&response)?), (503, vec![503]));
    Ok(())
}

#[tokio::test]
async fn a_result_for_another_message_is_passed_over() -> Result<()> {
    let strange = |id: &str| json!({"Id": id, "MessageId": "1", "MD5OfMessageBody": "2"});
    let answered =
        json!({"Successful": [strange("1"), strange(""), strange("-1"), strange("cup")]});
    let (client, _) = sqs(move |_| (200, answered.clone()));
    let response = answer(event(&batch(["cup"]))?, client).await?;
    assert_eq!(statuses(&response)?, [503]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_whole_fails_only_its_own_orders() -> Result<()> {
    for (status, code) in [
        (400, "AWS.SimpleQueueService.BatchRequestTooLong"),
        (403, "AccessDenied"),
        (500, "InternalFailure"),
    ] {
        let (client, calls) = sqs(move |entries| {
            if entries.iter().any(|entry| is_for(entry, "odd")) {
                (status, json!({"__type": code, "message": "no"}))
            } else {
                super::stored(entries)
            }
        });
        let skus = ["odd"; 10].into_iter().chain(["cup"; 10]);
        let response = answer(event(&batch(skus))?, client).await?;
        assert_eq!(response.status, 202);
        assert_eq!(statuses(&response)?, [[503; 10], [202; 10]].concat());
        // Unless the fault is the sender's, it is sent five times.
        let attempts = if status == 500 { 5 } else { 1 };
        assert_eq!(
            calls.lock().expect("no panic in here").len(),
            1 + 2 * attempts
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_queued_is_the_queues_problem_if_it_refused_any() -> Result<()>
{
    let (client, _) = sqs(|_| (200, json!({})));
    let mut body = batch(["cup", "pot"]);
    body["orders"][0]["order"]["currency"] = json!("euro");
    let response = answer(event(&body)?, client).await?;
    assert_eq!(response.status, 503);
    assert_eq!(response.headers["retry-after"], "5");
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!(statuses(&response)?, [422, 503]);
    let problem = response.document()?;
    assert_eq!(problem["type"], "queue-unavailable");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_leaves_time_to_say_so() -> Result<()> {
    let ((sqs, calls), since) = (silent(), Instant::now());
    let response = answer(event(&batch(["cup"; 100]))?, sqs).await?;
    assert_eq!(statuses(&response)?, [503; 100]);
    // Two operations of 3 s, each with attempts of 1 s; the function has 10 s.
    assert!(
        (Duration::from_secs(4)..Duration::from_secs(7)).contains(&since.elapsed()),
        "{:?}",
        since.elapsed()
    );
    let calls = calls.load(Ordering::Relaxed);
    assert!((40..=60).contains(&calls), "{calls}");
    Ok(())
}
