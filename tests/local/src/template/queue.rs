//! Parses `AWS::SQS::Queue`, a standard one.

use super::{
    model::{Queue, Redrive},
    resolve::Scope,
    resource::{Kind, Resource},
    yaml::Node,
};
use crate::sqs;
use anyhow::Result;
use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

const READ: [&str; 7] = [
    "QueueName",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
];
/// Properties for encryption, permission and billing.
const DROPPED: [&str; 5] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "Tags",
];

/// Reads one queue; SQS's own defaults fill in missing properties.
pub fn read(resource: &Resource, scope: &Scope) -> Result<Queue> {
    let properties = resource.properties(scope, &READ, &DROPPED)?;
    let seconds = |key: &str, range: RangeInclusive<u64>, default: u64| {
        let given = properties.get(key).map(|node| node.number(range));
        Ok::<_, anyhow::Error>(Duration::from_secs(given.transpose()?.unwrap_or(default)))
    };
    let size = properties.get("MaximumMessageSize");
    let size = size.map(|node| node.number(1024..=1_048_576)).transpose()?;
    let redrive = properties.get("RedrivePolicy").map(redrive).transpose()?;
    Ok(Queue {
        name: resource.name(scope, "QueueName")?,
        visibility_timeout: seconds("VisibilityTimeout", 0..=43_200, 30)?,
        retention: seconds("MessageRetentionPeriod", 60..=1_209_600, 345_600)?,
        delay: seconds("DelaySeconds", 0..=900, 0)?,
        maximum_message_size: size.unwrap_or(1_048_576),
        receive_wait: seconds("ReceiveMessageWaitTimeSeconds", 0..=20, 0)?,
        redrive,
    })
}

fn redrive(policy: &Node) -> Result<Redrive> {
    policy.only(&["deadLetterTargetArn", "maxReceiveCount"])?;
    let target = policy.require("deadLetterTargetArn")?.text()?;
    let name = target.rsplit_once(':').map_or(target, |(_, name)| name);
    Ok(Redrive {
        dead_letter_queue: name.to_owned(),
        max_receive_count: policy.require("maxReceiveCount")?.number(1..=1000)?,
    })
}

/// Refuses a queue whose dead-letter queue doesn't exist.
pub fn check_redrive(resources: &[Resource], queues: &BTreeMap<String, Queue>) -> Result<()> {
    for resource in resources.iter().filter(|r| r.kind == Kind::Queue) {
        let redrive = queues[&resource.id].redrive.as_ref();
        if let Some(name) = redrive.map(|redrive| &redrive.dead_letter_queue)
            && !queues.values().any(|queue| queue.name == *name)
        {
            return Err(resource.node.fault(format!(
                "RedrivePolicy names {name}, which is no queue of this template"
            )));
        }
    }
    Ok(())
}

/// The logical id, and the queue with this ARN.
pub fn by_arn<'q>(
    queues: &'q BTreeMap<String, Queue>,
    arn: &Node,
) -> Result<(&'q String, &'q Queue)> {
    let wanted = arn.text()?;
    let mut queues = queues.iter();
    queues
        .find(|(_, queue)| sqs::arn(&queue.name) == wanted)
        .ok_or_else(|| arn.fault(format!("{wanted} is no queue of this template")))
}
