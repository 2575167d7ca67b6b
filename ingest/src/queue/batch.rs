//! Puts many orders on the queue at once.

use super::{NotQueued, OrderQueue, pack::pack, trace_header};
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends::AwsTraceHeader, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use events::{Client, OrderPlaced, text::bounded};
use futures_util::future::join_all;

/// For each order, in the sequence given, whether SQS has stored it.
type Answers = Vec<Result<(), NotQueued>>;

impl OrderQueue {
    /// Puts a client's orders on the queue, and returns once SQS has answered for each. Refused ones are sent once more, so this takes up
    /// to two calls' time. An order that SQS stored without confirming it is then on the queue twice, under one id, and takes
    /// effect once.
    pub async fn send_all(
        &self,
        client: &Client,
        orders: &[OrderPlaced],
        trace: Option<&str>,
    ) -> Answers {
        let (group, trace) = (client.message_group(), trace_header(trace));
        let mut answers = self.send_once(orders, &group, trace.as_ref()).await;
        let refused: Vec<_> = (0..orders.len()).filter(|n| answers[*n].is_err()).collect();
        let again = refused.iter().map(|n| &orders[*n]);
        let again = self.send_once(again, &group, trace.as_ref()).await;
        for (n, answer) in refused.into_iter().zip(again) {
            answers[n] = answer;
        }
        answers
    }

    /// Sends orders in as few calls as possible, all at once.
    async fn send_once(
        &self,
        orders: impl IntoIterator<Item = &OrderPlaced>,
        group: &str,
        trace: Option<&MessageSystemAttributeValue>,
    ) -> Answers {
        let bodies: Vec<_> = orders.into_iter().map(OrderPlaced::to_json).collect();
        let calls = pack(bodies.iter().map(String::len));
        let mut bodies = bodies.into_iter();
        let calls = calls.into_iter().map(|call| {
            let bodies = bodies.by_ref().take(call.len());
            self.call(bodies.collect(), group, trace)
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    /// Makes one `SendMessageBatch` of these bodies.
    async fn call(
        &self,
        bodies: Vec<String>,
        group: &str,
        trace: Option<&MessageSystemAttributeValue>,
    ) -> Answers {
        // A message that is in neither of SQS's lists counts as refused.
        let unnamed = NotQueued("SQS answered the call, but not for this message".to_owned());
        let mut answers = vec![Err(unnamed); bodies.len()];
        let entry = |(n, body): (usize, String)| {
            // The order's id can't identify the entry: with one idempotency key it may occur twice.
            let mut entry = SendMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .message_body(body)
                .message_group_id(group);
            if let Some(trace) = trace {
                entry = entry.message_system_attributes(AwsTraceHeader, trace.clone());
            }
            entry.build().expect("it has an id and a body")
        };
        let entries = bodies.into_iter().enumerate().map(entry).collect();
        let send = self.sqs.send_message_batch().queue_url(&self.url);
        let answer = match send.set_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                answers.fill(Err(error.into()));
                return answers;
            }
        };
        let mut set = |id: &str, result| {
            let n = id.parse::<usize>().ok();
            if let Some(answer) = n.and_then(|n| answers.get_mut(n)) {
                *answer = result;
            }
        };
        for stored in answer.successful() {
            set(stored.id(), Ok(()));
        }
        for refused in answer.failed() {
            let message = refused.message().unwrap_or_default();
            let why = format!("{}: {message}", refused.code());
            set(refused.id(), Err(NotQueued(bounded(&why))));
        }
        answers
    }
}
