//! A queue's attributes.

use super::{arn, clock::milliseconds, error::SqsError, message::MAXIMUM_MESSAGE_SIZE};
use crate::template::model;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The settable attributes of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attributes {
    pub visibility_timeout_ms: i64,
    pub retention_ms: i64,
    pub delay_ms: i64,
    pub maximum_message_size: usize,
    pub receive_wait_ms: i64,
    pub redrive: Option<Redrive>,
    /// The policy that says who else may use the queue. It is not enforced on one machine.
    #[serde(default)]
    pub policy: Option<String>,
}

/// The dead-letter queue, and the number of receives after which a message goes there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redrive {
    pub dead_letter_queue: String,
    pub max_receive_count: u32,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            visibility_timeout_ms: 30_000,
            retention_ms: 345_600_000,
            delay_ms: 0,
            maximum_message_size: MAXIMUM_MESSAGE_SIZE,
            receive_wait_ms: 0,
            redrive: None,
            policy: None,
        }
    }
}

impl From<&model::Queue> for Attributes {
    fn from(queue: &model::Queue) -> Self {
        Self {
            visibility_timeout_ms: milliseconds(queue.visibility_timeout),
            retention_ms: milliseconds(queue.retention),
            delay_ms: milliseconds(queue.delay),
            maximum_message_size: queue.maximum_message_size,
            receive_wait_ms: milliseconds(queue.receive_wait),
            redrive: queue.redrive.as_ref().map(|redrive| Redrive {
                dead_letter_queue: redrive.dead_letter_queue.clone(),
                max_receive_count: redrive.max_receive_count,
            }),
            policy: None,
        }
    }
}

impl Attributes {
    /// Sets an attribute, named as in `CreateQueue` and `SetQueueAttributes`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        let within = |least: i64, most: i64| {
            value
                .parse()
                .ok()
                .filter(|value| (least..=most).contains(value))
                .ok_or_else(|| SqsError::InvalidAttributeValue(name.to_owned()))
        };
        match name {
            "VisibilityTimeout" => self.visibility_timeout_ms = within(0, 43_200)? * 1000,
            "MessageRetentionPeriod" => self.retention_ms = within(60, 1_209_600)? * 1000,
            "DelaySeconds" => self.delay_ms = within(0, 900)? * 1000,
            "ReceiveMessageWaitTimeSeconds" => self.receive_wait_ms = within(0, 20)? * 1000,
            "MaximumMessageSize" => {
                let bytes = within(1024, 1_048_576)?;
                self.maximum_message_size = usize::try_from(bytes).unwrap_or(MAXIMUM_MESSAGE_SIZE);
            }
            "RedrivePolicy" if value.is_empty() => self.redrive = None,
            "RedrivePolicy" => self.redrive = Some(Redrive::parse(value)?),
            "Policy" if value.is_empty() => self.policy = None,
            "Policy" if serde_json::from_str::<Map<String, Value>>(value).is_err() => {
                return Err(SqsError::InvalidAttributeValue(name.to_owned()));
            }
            "Policy" => self.policy = Some(value.to_owned()),
            _ => return Err(SqsError::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    /// Lists all attributes that are set, named as in `GetQueueAttributes`.
    pub fn render(&self) -> Vec<(&'static str, String)> {
        let mut rendered = vec![
            (
                "VisibilityTimeout",
                (self.visibility_timeout_ms / 1000).to_string(),
            ),
            (
                "MessageRetentionPeriod",
                (self.retention_ms / 1000).to_string(),
            ),
            ("DelaySeconds", (self.delay_ms / 1000).to_string()),
            (
                "ReceiveMessageWaitTimeSeconds",
                (self.receive_wait_ms / 1000).to_string(),
            ),
            ("MaximumMessageSize", self.maximum_message_size.to_string()),
        ];
        if let Some(redrive) = &self.redrive {
            let policy = json!({
                "deadLetterTargetArn": arn(&redrive.dead_letter_queue),
                "maxReceiveCount": redrive.max_receive_count,
            });
            rendered.push(("RedrivePolicy", policy.to_string()));
        }
        rendered.extend(self.policy.clone().map(|policy| ("Policy", policy)));
        rendered
    }
}

impl Redrive {
    /// Parses `{"deadLetterTargetArn":…,"maxReceiveCount":…}`, with the count as a number or in quotes.
    fn parse(policy: &str) -> Result<Self, SqsError> {
        let refuse = |reason: &str| SqsError::invalid("RedrivePolicy", policy, reason);
        let fields: Value = serde_json::from_str(policy)
            .map_err(|_| refuse("Redrive policy is not valid JSON."))?;
        let dead_letter_queue = fields["deadLetterTargetArn"]
            .as_str()
            .ok_or_else(|| refuse("Redrive policy does not contain deadLetterTargetArn."))?;
        let max_receive_count = match &fields["maxReceiveCount"] {
            Value::Number(count) => count.as_u64(),
            Value::String(count) => count.parse().ok(),
            _ => None,
        };
        Ok(Self {
            dead_letter_queue: queue_name(dead_letter_queue)
                .ok_or_else(|| refuse("Dead letter target is not a queue of this account."))?
                .to_owned(),
            max_receive_count: max_receive_count
                .and_then(|count| u32::try_from(count).ok())
                .filter(|count| (1..=1000).contains(count))
                .ok_or_else(|| refuse("maxReceiveCount must be from 1 to 1000."))?,
        })
    }
}

/// The queue that an ARN of this account and region names.
pub fn queue_name(queue_arn: &str) -> Option<&str> {
    queue_arn.strip_prefix(&arn(""))
}
