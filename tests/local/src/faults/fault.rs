//! The kinds of fault: in a call, in the delivery of a message, in a function's process.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use std::{fmt, time::Duration};

/// A call to SQS, `DynamoDB` or EventBridge.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The function's logical id, or else the access key id that signed the call.
    pub caller: &'a str,
    /// `SendMessage`, `TransactWriteItems`, …
    pub operation: &'a str,
    /// The request, in JSON.
    pub body: &'a [u8],
}

impl Call<'_> {
    /// Whether the request contains this text, written as in JSON.
    pub fn contains(&self, text: &str) -> bool {
        contains(self.body, text)
    }

    /// The names of a batch call's entries, as used by [`Fault::Partial`].
    pub(super) fn entries(&self) -> Vec<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Batch {
            entries: Vec<Entry>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry {
            id: Option<String>,
        }
        let batch = serde_json::from_slice::<Batch>(self.body);
        let entries = batch.map_or(Vec::new(), |batch| batch.entries);
        let entries = entries.into_iter().enumerate();
        entries
            .map(|(n, entry)| entry.id.unwrap_or_else(|| n.to_string()))
            .collect()
    }

    /// The number of actions in a transaction.
    pub(crate) fn actions(&self) -> usize {
        #[derive(Deserialize)]
        struct Transaction {
            #[serde(rename = "TransactItems")]
            actions: Vec<IgnoredAny>,
        }
        serde_json::from_slice::<Transaction>(self.body).map_or(0, |t| t.actions.len())
    }
}

pub(super) fn contains(body: &[u8], text: &str) -> bool {
    // `str` searches several times faster than windows over bytes, and every rule searches every call: otherwise a transaction
    // of 4 MB would be late.
    std::str::from_utf8(body).is_ok_and(|body| body.contains(text))
}

/// A fault in a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The call isn't done, and is answered with an error.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// `TransactionCanceledException`
        code: String,
        /// The error's other fields, as an object: `message`, `CancellationReasons`.
        body: Value,
    },
    /// A batch call such as `SendMessageBatch` or `PutEvents` is done, except for these entries.
    Partial {
        /// The `Id`s of the entries that aren't done; events have none, so their indexes from 0.
        entries: Vec<String>,
        /// The code of these entries in `Failed`; without one they are in neither list.
        code: Option<String>,
    },
    /// The call is done, but the connection is cut before the answer.
    Unanswered,
    /// The call is done after this long, even if the caller has given up by then.
    Late(Duration),
    /// The call is done at once, and answered after this long.
    Slow(Duration),
    /// The call isn't done, because the calling process is killed.
    KilledBefore,
    /// The call is done, and the calling process is killed before it gets the answer.
    KilledAfter,
}

impl Fault {
    /// An error with a message and nothing else.
    pub fn refuse(status: u16, code: &str, message: &str) -> Self {
        Self::Refuse {
            status,
            code: code.to_owned(),
            body: json!({ "message": message }),
        }
    }

    /// A cancelled transaction, with one reason for each of its actions: `[{"Code": "None"}]`.
    pub fn cancel(reasons: &Value) -> Self {
        Self::Refuse {
            status: 400,
            code: "TransactionCanceledException".to_owned(),
            body: json!({"Message": "Transaction cancelled", "CancellationReasons": reasons}),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Refuse { code, body, .. } => {
                let reasons = body["CancellationReasons"].as_array();
                let codes = reasons.into_iter().flatten().map(|reason| &reason["Code"]);
                match codes.filter_map(Value::as_str).find(|code| *code != "None") {
                    Some(reason) => write!(f, "cancelled: {reason}"),
                    None => write!(f, "refused: {code}"),
                }
            }
            Self::Partial { code, .. } => {
                let code = code.as_deref().unwrap_or("unnamed");
                write!(f, "done in part, the rest {code}")
            }
            Self::Unanswered => f.write_str("done, then cut off"),
            Self::Late(after) => write!(f, "done {} s late", after.as_secs_f64()),
            Self::Slow(after) => write!(f, "answered {} s late", after.as_secs_f64()),
            Self::KilledBefore => f.write_str("caller killed before it is done"),
            Self::KilledAfter => f.write_str("caller killed after it is done"),
        }
    }
}

/// A fault in the delivery of a message from a queue to a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delivery {
    /// A copy of the message also comes after this long, even if the first is deleted.
    Twice(Duration),
    /// The message is hidden for this long first.
    Late(Duration),
    /// The message is visible again after this long, although its receiver still has it.
    BackEarly(Duration),
    /// The messages behind it are delivered first.
    Overtaken,
    /// Its receive count jumps by this many.
    Received(u32),
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Twice(_) => "delivered twice",
            Self::Late(_) => "delivered late",
            Self::BackEarly(_) => "back early",
            Self::Overtaken => "delivered out of order",
            Self::Received(_) => "receive count jumped",
        })
    }
}

/// A fault in a function's process. If it has a time, a random moment within it is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crash {
    /// The process is killed within this long after its start, if it isn't initialised by then.
    KilledInInit(Duration),
    /// The process is killed within this long after an invocation began, if that isn't over by then.
    Killed(Duration),
    /// The process stops within this long after an invocation began, until its time-out kills it.
    Hung(Duration),
    /// Its answer is replaced by garbage.
    Garbage,
    /// At this interval, one of the busy processes is killed.
    KilledEvery(Duration),
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::KilledInInit(_) => "killed during init",
            Self::Killed(_) => "killed during an invocation",
            Self::Hung(_) => "hung",
            Self::Garbage => "answered garbage",
            Self::KilledEvery(_) => "killed by the clock",
        })
    }
}
