//! The parts of requests and answers that the console reads.

use serde::{Deserialize, de::IgnoredAny};

/// `SendMessage` or `SendMessageBatch`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    pub queue_url: String,
    pub message_body: Option<String>,
    #[serde(default)]
    pub entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub id: String,
    pub message_body: String,
}

/// `TransactWriteItems`
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Transaction {
    pub transact_items: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Action {
    pub put: Option<Put>,
}

/// `PutItem`, alone or in a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    pub table_name: String,
    pub item: Row,
}

/// An order's row.
#[derive(Deserialize)]
pub(super) struct Row {
    pub id: Option<Text>,
    pub status: Option<Text>,
    pub reason: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct Text {
    #[serde(rename = "S")]
    pub text: Option<String>,
}

/// The entries of a batch that weren't done.
pub(super) fn failed(answer: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(default)]
        failed: Vec<Failure>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Failure {
        id: String,
    }
    let answer = serde_json::from_slice::<Answer>(answer);
    let failed = answer.map_or(Vec::new(), |answer| answer.failed);
    failed.into_iter().map(|failure| failure.id).collect()
}

/// The codes of a refusal: its own, without a namespace, and those of its cancellation reasons.
pub(super) fn codes(answer: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "__type")]
        code: Option<String>,
        #[serde(rename = "CancellationReasons", default)]
        reasons: Vec<Reason>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reason {
        code: Option<String>,
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(answer) else {
        return Vec::new();
    };
    let own = refusal
        .code
        .iter()
        .filter_map(|code| code.rsplit('#').next());
    let own = own.map(str::to_owned);
    let reasons = refusal.reasons.into_iter().filter_map(|reason| reason.code);
    own.chain(reasons).collect()
}

/// The id of the order in a message; `None` if it holds no order.
pub(super) fn order_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Order {
        id: String,
        #[serde(rename = "order")]
        _order: IgnoredAny,
    }
    let order = serde_json::from_slice::<Order>(body);
    order.ok().map(|order| order.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_codes_are_found_wherever_they_stand() {
        let codes = |answer: &str| codes(answer.as_bytes());
        let cancelled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message":"m","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"},{}]}"#;
        assert_eq!(
            codes(cancelled),
            [
                "TransactionCanceledException",
                "None",
                "TransactionConflict"
            ]
        );
        assert_eq!(codes(r#"{"__type":"a"}"#), ["a"]);
        assert_eq!(codes("not json"), [""; 0]);
    }

    #[test]
    fn a_message_without_an_order_has_no_id() {
        assert_eq!(order_id(br#"{"id":"a","order":{}}"#).as_deref(), Some("a"));
        for body in [r#"{"id":"a"}"#, r#"{"id":7,"order":{}}"#, "poison", "[]"] {
            assert_eq!(order_id(body.as_bytes()), None, "{body}");
        }
    }
}
