//! `GET /openapi.json`: describes the API to authors of clients.

use crate::response::with;
use events::openapi::JSON;
use lambda_http::{
    Body, Response,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

/// Answers with the document. It is the same for all callers and may be cached.
pub(crate) fn describe() -> Response<Body> {
    let response = Response::new(Body::from(JSON));
    let response = with(response, CONTENT_TYPE, "application/json");
    let response = with(response, CACHE_CONTROL, "public, max-age=300");
    with(response, X_CONTENT_TYPE_OPTIONS, "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accept_batch::{MAX_BATCH_BYTES, MAX_ORDERS},
        problem::Problem,
        status_batch, wait,
    };
    use anyhow::{Context, Result};
    use lambda_http::http::header::RETRY_AFTER;
    use serde_json::{Value, json};

    #[test]
    fn the_limits_are_those_of_the_code() -> Result<()> {
        let document: Value = serde_json::from_str(JSON)?;
        let at = |pointer: &str| {
            let found = document.pointer(pointer);
            found.with_context(|| format!("nothing at {pointer}"))
        };
        for (place, limit) in [
            ("schemas/NewOrders/properties/orders/minItems", 1),
            ("schemas/NewOrders/properties/orders/maxItems", MAX_ORDERS),
            ("parameters/Ids/schema/minItems", 1),
            ("parameters/Ids/schema/maxItems", status_batch::MOST),
        ] {
            assert_eq!(at(&format!("/components/{place}"))?, limit, "{place}");
        }
        for header in ["Wait", "WaitIfQueued"] {
            let schema = at(&format!("/components/headers/{header}/schema"))?;
            assert_eq!(schema["minimum"], wait::FIRST.as_secs(), "{header}");
            assert_eq!(schema["maximum"], wait::LONGEST.as_secs(), "{header}");
        }
        let response = Response::from(Problem::QueueUnavailable);
        let seconds: u64 = response.headers()[RETRY_AFTER].to_str()?.parse()?;
        let expected = at("/components/headers/RetryLater/schema/const")?;
        assert_eq!(expected, &json!(seconds));
        // This rule can't be expressed in a schema, so the text has it.
        let text = at("/paths/~1orders~1batch/post/requestBody/description")?;
        let words = text.as_str().context("no text")?.split([' ', '.', ',']);
        for limit in [MAX_ORDERS, MAX_BATCH_BYTES] {
            let mut words = words.clone();
            assert!(
                words.any(|word| word == limit.to_string()),
                "{text}: {limit}"
            );
        }
        Ok(())
    }
}
