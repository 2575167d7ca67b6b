//! Checks the messages of `ingest`, as SQS would.

use anyhow::{Context, bail, ensure};
use events::{Fingerprint, OrderId, OrderPlaced};
use local::sqs::{MessageAttribute, md5};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The path of the queue's URL: the account's number and the queue's name.
pub const QUEUE: &str = "/000000000000/OrdersQueue";

/// The number of bytes of a request that are billed as one request.
const BILLED_BYTES: usize = 64 * 1024;
/// The maximum number of entries in a batch.
const MOST_ENTRIES: usize = 10;
/// The maximum size of a request's messages.
const MOST_BYTES: usize = 1024 * 1024;

/// A request that puts orders on the queue.
#[derive(Debug)]
pub struct Send {
    pub orders: Vec<OrderId>,
    pub billed: u64,
    /// SQS's response.
    pub answer: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    queue_url: Option<String>,
    id: Option<String>,
    message_body: String,
    message_group_id: String,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, MessageAttribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    queue_url: String,
    entries: Vec<Entry>,
}

/// Checks a `SendMessage` or a `SendMessageBatch` of orders; anything else is an error.
pub fn send(action: &str, body: &[u8]) -> anyhow::Result<Send> {
    let (messages, url) = match action {
        "SendMessage" => {
            let message: Entry = serde_json::from_slice(body)?;
            let url = message.queue_url.clone();
            (vec![message], url)
        }
        "SendMessageBatch" => {
            let batch: Batch = serde_json::from_slice(body)?;
            (batch.entries, Some(batch.queue_url))
        }
        _ => bail!("unexpected action {action}"),
    };
    let url = url.context("no QueueUrl")?;
    ensure!(url.ends_with(QUEUE), "{url} is another queue");
    ensure!(
        (1..=MOST_ENTRIES).contains(&messages.len()),
        "{} entries",
        messages.len()
    );
    let bytes = messages.iter().map(|message| message.message_body.len());
    let bytes: usize = bytes.sum();
    ensure!(bytes <= MOST_BYTES, "{bytes} bytes of messages");
    let orders = messages.iter().map(read).collect::<Result<_, _>>()?;
    let mut answers = messages.iter().map(answer).collect::<Vec<_>>();
    let answer = if action == "SendMessage" {
        answers.remove(0)
    } else {
        json!({"Successful": answers, "Failed": []})
    };
    Ok(Send {
        orders,
        billed: u64::try_from(bytes.div_ceil(BILLED_BYTES).max(1))?,
        answer,
    })
}

/// Returns the order id in a message. `process` must be able to read the message, and its fingerprint and group must be right.
fn read(message: &Entry) -> anyhow::Result<OrderId> {
    let placed = OrderPlaced::from_json(&message.message_body)?;
    ensure!(
        *placed.fingerprint() == Fingerprint::of(placed.order()),
        "the fingerprint is not the order's"
    );
    ensure!(
        message.message_group_id == placed.client().message_group(),
        "the message group is not the client's"
    );
    Ok(placed.id())
}

fn answer(message: &Entry) -> Value {
    let mut answer = json!({
        "MessageId": "b526aef1-a341-4fe6-a5c3-77ed4c222888",
        "MD5OfMessageBody": md5::of_body(&message.message_body),
    });
    if let Some(id) = &message.id {
        answer["Id"] = json!(id);
    }
    if let Some(md5) = md5::of_attributes(&message.message_system_attributes) {
        answer["MD5OfMessageSystemAttributes"] = json!(md5);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACED: &str = include_str!("../../../../../events/order-placed.json");

    fn message() -> anyhow::Result<Value> {
        let group = OrderPlaced::from_json(PLACED)?.client().message_group();
        let url = format!("https://localhost:1{QUEUE}");
        Ok(json!({"QueueUrl": url, "MessageBody": PLACED, "MessageGroupId": group}))
    }

    #[test]
    fn a_message_is_answered_with_its_digest() -> anyhow::Result<()> {
        let sent = send("SendMessage", message()?.to_string().as_bytes())?;
        assert_eq!(sent.orders, [OrderPlaced::from_json(PLACED)?.id()]);
        assert_eq!(sent.billed, 1);
        assert_eq!(sent.answer["MD5OfMessageBody"], json!(md5::of_body(PLACED)));
        Ok(())
    }

    #[test]
    fn what_is_no_order_for_the_queue_is_refused() -> anyhow::Result<()> {
        let check = |change: &dyn Fn(&mut Value)| {
            let mut changed = message()?;
            change(&mut changed);
            let refused = send("SendMessage", changed.to_string().as_bytes()).is_err();
            assert!(refused, "{changed}");
            anyhow::Ok(())
        };
        check(&|message| message["QueueUrl"] = json!("https://localhost:1/1/Other"))?;
        check(&|message| message["MessageBody"] = json!("{}"))?;
        check(&|message| message["MessageBody"] = json!(PLACED.replace("4900", "4901")))?;
        check(&|message| message["MessageGroupId"] = json!("another"))?;
        let sound = message()?.to_string();
        assert!(send("PurgeQueue", sound.as_bytes()).is_err());
        assert!(send("SendMessage", &sound.as_bytes()[1..]).is_err());
        Ok(())
    }

    #[test]
    fn a_batch_has_at_most_ten_entries() -> anyhow::Result<()> {
        let entry = |n: usize| {
            let mut entry = message()?;
            entry["Id"] = json!(n.to_string());
            anyhow::Ok(entry)
        };
        let check = |count: usize, sound: bool| {
            let entries = (0..count).map(entry).collect::<Result<Vec<_>, _>>()?;
            let url = format!("https://localhost:1{QUEUE}");
            let batch = json!({"QueueUrl": url, "Entries": entries}).to_string();
            let sent = send("SendMessageBatch", batch.as_bytes());
            assert_eq!(sent.is_ok(), sound, "{count}");
            anyhow::Ok(())
        };
        check(1, true)?;
        check(10, true)?;
        check(0, false)?;
        check(11, false)
    }
}
