//! The outcome of an order.

use super::Reason;
use serde::{Deserialize, Serialize};

/// The end of an order's path. Until it has an outcome, an order is `queued`.
///
/// JSON and rows represent it as the field `status`, and a rejection's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum Outcome {
    /// It has what it claims.
    Confirmed,
    /// It gets nothing.
    Rejected(Reason),
    /// Processing gave up; the message is on the dead-letter queue, and a redrive can still settle it.
    Failed,
}

impl Outcome {
    /// The names of the metrics that count outcomes.
    pub const METRICS: [&str; 2] = ["Confirmed", "Rejected"];

    /// Returns whether the outcome never changes. A redrive can still settle a failed order.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Failed)
    }

    /// Returns the metric that counts this outcome, if one does.
    pub fn metric(self) -> Option<&'static str> {
        match self {
            Self::Confirmed => Some("Confirmed"),
            Self::Rejected(_) => Some("Rejected"),
            Self::Failed => None,
        }
    }

    /// Returns the `detail-type` of the event that publishes this outcome.
    pub fn detail_type(self) -> &'static str {
        match self {
            Self::Confirmed => "Order Confirmed",
            Self::Rejected(_) => "Order Rejected",
            Self::Failed => "Order Failed",
        }
    }

    /// Returns the value of the field `status`.
    pub fn status(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected(_) => "rejected",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_outcome_is_a_status() -> serde_json::Result<()> {
        for outcome in [Outcome::Confirmed, Outcome::Failed] {
            let expected = json!({"status": outcome.status()});
            assert_eq!(serde_json::to_value(outcome)?, expected);
            assert_eq!(serde_json::from_value::<Outcome>(expected)?, outcome);
        }
        Ok(())
    }

    #[test]
    fn what_is_not_an_outcome_is_not_read_as_one() {
        for none in [
            json!({"status": "rejected"}),
            json!({"status": "rejected", "reason": "other"}),
            json!({"status": "queued"}),
            json!({"reason": "other"}),
        ] {
            let read = serde_json::from_value::<Outcome>(none.clone());
            assert!(read.is_err(), "{none}");
        }
    }
}
