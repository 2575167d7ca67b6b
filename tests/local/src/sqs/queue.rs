//! One queue.

use super::{
    Sqs, arn,
    attributes::Attributes,
    error::SqsError,
    store::{self, Queue},
    url,
    wire::{Head, or_default},
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateQueue {
    queue_name: String,
    #[serde(default, deserialize_with = "or_default")]
    attributes: BTreeMap<String, String>,
}

/// A request that only names a queue.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueUrl {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListQueues {
    #[serde(default, deserialize_with = "or_default")]
    queue_name_prefix: String,
    max_results: Option<i64>,
    /// The name of the last queue listed.
    #[serde(default, deserialize_with = "or_default")]
    next_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueAttributes {
    queue_url: String,
    #[serde(default, deserialize_with = "or_default")]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueUrl {
    queue_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueUrls {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueAttributes {
    attributes: BTreeMap<&'static str, String>,
}

/// An answer without content.
#[derive(Serialize)]
pub struct Done {}

impl Sqs {
    pub(super) fn create_queue(
        &self,
        head: &Head,
        request: &CreateQueue,
    ) -> Result<QueueUrl, SqsError> {
        let name = &request.queue_name;
        let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=80).contains(&name.len()) || !name.chars().all(named) {
            let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(SqsError::invalid("QueueName", name, reason));
        }
        self.0
            .store
            .transaction(|tables| match store::find_queue(tables, name) {
                Ok(existing) => {
                    let before = existing.attributes;
                    for (name, value) in &request.attributes {
                        let one = [(name.clone(), value.clone())].into();
                        if changed(tables, &before, &one)? != before {
                            return Err(SqsError::QueueNameExists(name.clone()));
                        }
                    }
                    Ok(())
                }
                Err(SqsError::QueueDoesNotExist) => {
                    let attributes = changed(tables, &Attributes::default(), &request.attributes)?;
                    store::insert_queue(tables, name, &attributes)
                }
                Err(error) => Err(error),
            })?;
        Ok(self.queue_url(head, name))
    }

    pub(super) fn delete_queue(&self, request: &OfQueue) -> Result<Done, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            delete_messages(tables, &queue)?;
            tables.execute("DELETE FROM queue WHERE id = ?1", [queue.id])?;
            Ok(())
        })?;
        // Long polls of the queue learn that it is gone.
        self.0.arrivals.notify_waiters();
        Ok(Done {})
    }

    pub(super) fn purge_queue(&self, request: &OfQueue) -> Result<Done, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            delete_messages(tables, &queue)
        })?;
        Ok(Done {})
    }

    pub(super) fn get_queue_url(
        &self,
        head: &Head,
        request: &GetQueueUrl,
    ) -> Result<QueueUrl, SqsError> {
        self.0
            .store
            .transaction(|tables| store::find_queue(tables, &request.queue_name))?;
        Ok(self.queue_url(head, &request.queue_name))
    }

    pub(super) fn list_queues(
        &self,
        head: &Head,
        request: &ListQueues,
    ) -> Result<QueueUrls, SqsError> {
        let mut queues = self
            .0
            .store
            .transaction(|tables| store::queues_after(tables, &request.next_token))?;
        queues.retain(|queue| queue.name.starts_with(&request.queue_name_prefix));
        let (queues, next_token) = page(queues, request.max_results)?;
        Ok(QueueUrls {
            queue_urls: self.queue_urls(head, &queues),
            next_token,
        })
    }

    pub(super) fn get_queue_attributes(
        &self,
        request: &GetQueueAttributes,
    ) -> Result<QueueAttributes, SqsError> {
        let mut attributes: BTreeMap<_, _> = self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            let mut attributes = queue.attributes.render();
            attributes.push(("QueueArn", arn(&queue.name)));
            attributes.push(("CreatedTimestamp", (queue.created_at / 1000).to_string()));
            attributes.push((
                "LastModifiedTimestamp",
                (queue.modified_at / 1000).to_string(),
            ));
            let depth = store::depth(tables, &queue)?;
            attributes.extend([
                ("ApproximateNumberOfMessages", depth.visible.to_string()),
                (
                    "ApproximateNumberOfMessagesNotVisible",
                    depth.in_flight.to_string(),
                ),
                (
                    "ApproximateNumberOfMessagesDelayed",
                    depth.delayed.to_string(),
                ),
            ]);
            Ok(attributes.into_iter().collect())
        })?;
        let known = |name: &String| {
            attributes.contains_key(name.as_str())
                || ["All", "RedrivePolicy", "Policy"].contains(&name.as_str())
        };
        if let Some(unknown) = request.attribute_names.iter().find(|name| !known(name)) {
            return Err(SqsError::InvalidAttributeName(unknown.clone()));
        }
        attributes.retain(|name, _| {
            let mut asked = request.attribute_names.iter();
            asked.any(|asked| asked == "All" || asked == name)
        });
        Ok(QueueAttributes { attributes })
    }

    pub(super) fn set_queue_attributes(
        &self,
        request: &SetQueueAttributes,
    ) -> Result<Done, SqsError> {
        self.0.store.transaction(|tables| {
            let queue = store::find_queue(tables, name_of(&request.queue_url))?;
            let attributes = changed(tables, &queue.attributes, &request.attributes)?;
            store::update_queue(tables, queue.id, &attributes)
        })?;
        Ok(Done {})
    }

    fn queue_url(&self, head: &Head, name: &str) -> QueueUrl {
        QueueUrl {
            queue_url: url(self.endpoint(head), name),
        }
    }

    pub(super) fn queue_urls(&self, head: &Head, queues: &[Queue]) -> Vec<String> {
        let urls = queues
            .iter()
            .map(|queue| url(self.endpoint(head), &queue.name));
        urls.collect()
    }

    fn endpoint<'h>(&'h self, head: &'h Head) -> &'h str {
        head.endpoint.as_ref().unwrap_or(&self.0.endpoint)
    }
}

/// The first page of these queues, and the name of its last one if there are more.
pub fn page(
    mut queues: Vec<Queue>,
    most: Option<i64>,
) -> Result<(Vec<Queue>, Option<String>), SqsError> {
    let size = usize::try_from(most.unwrap_or(1000));
    let Some(size) = size.ok().filter(|size| (1..=1000).contains(size)) else {
        let reason = "Must be between 1 and 1000.";
        return Err(SqsError::invalid(
            "MaxResults",
            most.unwrap_or_default(),
            reason,
        ));
    };
    let more = queues.len() > size && most.is_some();
    queues.truncate(size);
    let last = queues.last().filter(|_| more);
    let next = last.map(|queue| queue.name.clone());
    Ok((queues, next))
}

/// The queue's name in its URL; any host in it is fine.
pub fn name_of(queue_url: &str) -> &str {
    queue_url.rsplit('/').next().unwrap_or_default()
}

/// Replaces some of the attributes. A dead-letter queue must exist.
fn changed(
    tables: &Connection,
    attributes: &Attributes,
    changes: &BTreeMap<String, String>,
) -> Result<Attributes, SqsError> {
    let mut result = attributes.clone();
    for (name, value) in changes {
        result.set(name, value)?;
    }
    if let (Some(policy), Some(redrive)) = (changes.get("RedrivePolicy"), &result.redrive)
        && store::find_queue(tables, &redrive.dead_letter_queue).is_err()
    {
        let reason = "Dead letter target does not exist.";
        return Err(SqsError::invalid("RedrivePolicy", policy, reason));
    }
    Ok(result)
}

fn delete_messages(tables: &Connection, queue: &Queue) -> Result<(), SqsError> {
    tables.execute("DELETE FROM message WHERE queue = ?1", [queue.id])?;
    Ok(())
}
