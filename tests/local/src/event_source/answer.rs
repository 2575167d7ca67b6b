//! Reads a function's answer to a batch.

use serde::Deserialize;
use std::collections::BTreeSet;

/// Returns the ids of the messages that succeeded. Returns none when the answer fails the whole batch: an answer that isn't a
/// list of batch item failures, or has one without an id, or with an id that isn't in the batch.
pub(super) fn succeeded<'a>(batch: &[&'a str], answer: &[u8]) -> Vec<&'a str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        batch_item_failures: Option<Vec<Failure>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        item_identifier: Option<String>,
    }

    if answer.trim_ascii().is_empty() {
        return batch.to_vec();
    }
    let Ok(answer) = serde_json::from_slice::<Option<Answer>>(answer) else {
        return Vec::new();
    };
    let failures = answer.and_then(|answer| answer.batch_item_failures);
    let failed: Option<BTreeSet<String>> = failures
        .unwrap_or_default()
        .into_iter()
        .map(|failure| {
            failure
                .item_identifier
                .filter(|id| batch.contains(&id.as_str()))
        })
        .collect();
    let Some(failed) = failed else {
        return Vec::new();
    };
    let mut succeeded = batch.to_vec();
    succeeded.retain(|id| !failed.contains(*id));
    succeeded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_as_lambda_judges_it() {
        let all: &[&str] = &["a", "b", "c"];
        let none: &[&str] = &[];
        for (answer, expected) in [
            ("", all),
            (" \n", all),
            ("null", all),
            ("{}", all),
            (r#"{"other":1}"#, all),
            (r#"{"batchItemFailures":null}"#, all),
            (r#"{"batchItemFailures":[]}"#, all),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#,
                &["a", "c"],
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#,
                &["a", "c"],
            ),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, none),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, none),
            (r#"{"batchItemFailures":[{"itemIdentifier":7}]}"#, none),
            (r#"{"batchItemFailures":[{"id":"b"}]}"#, none),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"x"}]}"#,
                none,
            ),
            (r#"{"batchItemFailures":["b"]}"#, none),
            (r#"{"batchItemFailures":"b"}"#, none),
            (r#""done""#, none),
            ("not json", none),
        ] {
            assert_eq!(succeeded(all, answer.as_bytes()), expected, "{answer}");
        }
    }
}
