//! A function's secrets and a service's errors stay out of answers; errors are bounded and escaped in logs.

use crate::{
    cloud::SECRET_ACCESS_KEY,
    functions::{self, read},
    samples,
};
use aws_lambda_events::sqs::SqsEvent;
use serde_json::json;

/// An error text as no service should send one: long, and with terminal control sequences.
fn hostile() -> String {
    "\u{1b}[2J\n\u{9b}31m\u{7f}\u{202e}no\u{2066}\u{61c}\u{2028}".to_owned() + &"no ".repeat(40_000)
}

fn batch() -> SqsEvent {
    serde_json::from_value(samples::BATCH[0].clone()).expect("samples are events")
}

#[test]
fn no_secret_is_printed_with_what_holds_it() {
    functions::with(|functions| {
        let printed = format!("{functions:?} {:?}", functions.cloud.config());
        assert!(
            printed.contains("OrderIds") && printed.contains("https://sqs.test"),
            "{printed}"
        );
        for secret in [samples::SECRET, SECRET_ACCESS_KEY] {
            assert!(!printed.contains(secret), "{secret} is in {printed}");
        }
    });
}

/// `functions` checks every line that is logged.
#[test]
fn what_a_service_says_is_bounded_and_escaped_in_logs_and_not_in_answers() {
    functions::with(|functions| {
        for code in [
            "ValidationException",
            "AccessDeniedException",
            "InternalServerError",
        ] {
            let error = json!({"__type": code, "message": hostile()});
            functions.cloud.set_refusal(Some(error));
            let accepted = functions.ingest(read(&samples::PLACE[0]));
            let asked = functions.status(read(&samples::STATUS[0]));
            for (_, response) in [accepted, asked] {
                assert_eq!(response.status_code, 503);
                assert!(
                    response.body.len() < 500 && !response.body.contains("no no"),
                    "{response:?}"
                );
            }
            let failed = functions.process(batch()).expect("each record has an id");
            assert_eq!(failed.batch_item_failures.len(), 6);
        }
    });
}

#[test]
fn so_is_what_it_says_of_one_action_of_a_transaction() {
    functions::with(|functions| {
        let reason = json!({"Code": "ItemCollectionSizeLimitExceeded", "Message": hostile()});
        functions.cloud.set_refusal(Some(json!({
            "__type": "TransactionCanceledException",
            "Message": hostile(),
            "CancellationReasons": vec![reason; 100],
        })));
        let failed = functions.process(batch()).expect("each record has an id");
        assert_eq!(failed.batch_item_failures.len(), 6);
    });
}
