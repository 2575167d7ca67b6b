//! What a service answers, and how it reaches the SDK.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::ConnectorError};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A service's answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A result.
    Ok(Value),
    /// An error: the HTTP status, the code, and the reasons of a cancelled transaction.
    Error(u16, &'static str, Vec<Option<Value>>),
    /// The connection is cut.
    Cut,
    /// No answer ever comes.
    Never,
}

impl Answer {
    /// An error of this HTTP status and code.
    pub fn error(status: u16, code: &'static str) -> Self {
        Self::Error(status, code, vec![])
    }

    /// A cancelled transaction, with a reason for each action.
    pub fn cancelled(reasons: Vec<Option<Value>>) -> Self {
        Self::Error(400, "TransactionCanceledException", reasons)
    }

    /// The code, and those of the reasons, without their rows: a map has no fixed order.
    pub fn summary(&self) -> String {
        let Self::Error(_, code, reasons) = self else {
            return format!("{self:?}");
        };
        let reasons = reasons.iter().flatten();
        let codes: Vec<_> = reasons.map(|reason| reason["Code"].to_string()).collect();
        format!("{code} {}", codes.join(" "))
    }

    /// Converts the answer to what the SDK's connector returns.
    pub fn response(self) -> Result<HttpResponse, ConnectorError> {
        let (status, body) = match self {
            Self::Ok(body) => (200, body),
            Self::Error(status, code, reasons) => {
                let none = || json!({"Code": "None"});
                let reasons: Vec<_> = reasons
                    .into_iter()
                    .map(|reason| reason.unwrap_or_else(none))
                    .collect();
                let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": code, "CancellationReasons": reasons});
                (status, body)
            }
            Self::Cut | Self::Never => {
                return Err(ConnectorError::io("the connection is cut".into()));
            }
        };
        let status = status.try_into().expect("a status");
        Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
    }
}
