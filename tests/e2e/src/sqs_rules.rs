//! The rules of a standard queue, a scenario each, against whatever SQS the client reaches.

mod batches;
mod messages;
mod queues;
mod redrive;
mod visibility;

use anyhow::{Context, bail, ensure};
use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Message, MessageSystemAttributeName, QueueAttributeName},
};
use futures_util::future::BoxFuture;
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A rule's name, as a fact, and the scenario that shows it. The scenario makes its own queues and deletes them.
pub type Rule = (
    &'static str,
    fn(Client) -> BoxFuture<'static, anyhow::Result<()>>,
);

macro_rules! rules {
    ($($module:ident: $($rule:ident),+;)+) => {
        &[$($((stringify!($rule), |client| Box::pin(async {
            let queues = Queues::new(client);
            let result = $module::$rule(&queues).await;
            result.and(queues.delete().await)
        }))),+),+]
    };
}

/// Every rule.
pub const RULES: &[Rule] = rules! {
    messages:
        a_message_is_received_as_it_was_sent,
        attributes_are_returned_when_asked_for,
        a_message_has_a_body,
        a_message_has_only_characters_that_xml_allows,
        a_message_has_at_most_a_mebibyte_with_its_attributes,
        a_queue_may_take_smaller_messages_only,
        a_message_group_is_named_in_printable_characters,
        a_standard_queue_takes_no_deduplication_id,
        a_delayed_message_is_received_after_its_delay,
        a_delay_is_at_most_fifteen_minutes;
    visibility:
        a_received_message_is_hidden,
        a_redelivered_message_counts_its_receives,
        a_receive_may_set_its_own_visibility_timeout,
        a_message_given_back_is_visible_at_once,
        a_prolonged_message_stays_hidden,
        a_visibility_timeout_is_at_most_twelve_hours,
        an_earlier_receipt_handle_changes_visibility,
        a_visible_message_takes_a_change_of_visibility,
        a_visible_message_is_deleted_by_its_receipt_handle,
        a_deleted_message_is_gone,
        an_invalid_receipt_handle_is_refused,
        a_long_poll_ends_when_a_message_arrives,
        a_long_poll_ends_when_a_message_is_visible_again,
        an_empty_long_poll_waits_its_time,
        a_receive_takes_at_most_ten_messages;
    batches:
        a_batch_of_ten_is_sent_received_and_deleted,
        an_entry_fails_alone,
        a_refused_entry_is_its_senders_fault,
        a_batch_needs_one_to_ten_entries,
        entries_of_a_batch_have_distinct_valid_ids,
        a_batch_has_at_most_a_mebibyte,
        visibility_changes_in_a_batch;
    redrive:
        a_message_received_too_often_is_a_dead_letter,
        a_dead_letter_keeps_its_id_age_and_receives,
        dead_letters_do_not_block_their_neighbours,
        a_move_task_returns_messages_to_their_source,
        a_moved_message_counts_its_receives_anew,
        a_moved_message_is_a_new_message,
        a_move_task_can_have_another_destination,
        a_move_task_can_be_cancelled,
        only_a_dead_letter_queue_can_be_redriven;
    queues:
        creating_a_queue_again_finds_it,
        an_unknown_queue_is_refused,
        attributes_that_were_set_are_returned,
        a_queue_attribute_has_a_valid_value,
        an_unknown_queue_attribute_is_refused,
        messages_are_counted_by_their_state,
        a_purged_queue_is_empty,
        queues_are_listed_by_prefix,
        the_sources_of_dead_letters_are_listed,
        a_deleted_queue_is_unknown;
};

/// The rules that LocalStack 4.14 breaks, and how.
pub const BROKEN_BY_LOCALSTACK: &[(&str, &str)] = &[
    (
        "a_delay_is_at_most_fifteen_minutes",
        "takes any DelaySeconds",
    ),
    (
        "a_visibility_timeout_is_at_most_twelve_hours",
        "takes any VisibilityTimeout",
    ),
    ("a_refused_entry_is_its_senders_fault", "blames itself"),
    ("a_moved_message_counts_its_receives_anew", "keeps counting"),
    (
        "a_moved_message_is_a_new_message",
        "keeps the id and the time of the send",
    ),
    ("a_queue_attribute_has_a_valid_value", "takes any value"),
];

/// How long to wait for a condition.
const PATIENCE: Duration = Duration::from_secs(30);

/// The queues of one scenario.
struct Queues {
    client: Client,
    urls: Mutex<Vec<String>>,
}

impl Queues {
    fn new(client: Client) -> Self {
        Self {
            client,
            urls: Mutex::default(),
        }
    }

    async fn create(&self, attributes: &[(QueueAttributeName, &str)]) -> anyhow::Result<Queue> {
        let name = format!("rule-{:016x}", fastrand::u64(..));
        let attributes = attributes
            .iter()
            .map(|(name, value)| (name.clone(), (*value).to_owned()))
            .collect::<HashMap<_, _>>();
        let created = self
            .client
            .create_queue()
            .queue_name(&name)
            .set_attributes(Some(attributes))
            .send()
            .await?;
        let url = created.queue_url.context("a queue has a URL")?;
        self.urls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(url.clone());
        Ok(Queue {
            client: self.client.clone(),
            name,
            url,
        })
    }

    async fn delete(self) -> anyhow::Result<()> {
        for url in self.urls.into_inner()? {
            let deleted = self.client.delete_queue().queue_url(url).send().await;
            if let Err(error) = deleted
                && error.code() != Some("AWS.SimpleQueueService.NonExistentQueue")
            {
                return Err(error.into());
            }
        }
        Ok(())
    }
}

struct Queue {
    client: Client,
    name: String,
    url: String,
}

impl Queue {
    async fn send(&self, body: &str) -> anyhow::Result<String> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .send()
            .await?;
        sent.message_id.context("a sent message has an id")
    }

    /// Receives the next message, with all its attributes.
    async fn receive(&self) -> anyhow::Result<Message> {
        self.receive_within(20, None)
            .await?
            .context("no message in 20 s")
    }

    /// Receives the next message, and hides it for this many seconds.
    async fn receive_for(&self, visibility_timeout: i32) -> anyhow::Result<Message> {
        self.receive_within(20, Some(visibility_timeout))
            .await?
            .context("no message in 20 s")
    }

    /// Checks that nothing arrives for a second.
    async fn receives_nothing(&self) -> anyhow::Result<()> {
        let received = self.receive_within(1, None).await?;
        ensure!(received.is_none(), "received {received:?}");
        Ok(())
    }

    async fn receive_within(
        &self,
        seconds: i32,
        visibility_timeout: Option<i32>,
    ) -> anyhow::Result<Option<Message>> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .wait_time_seconds(seconds)
            .set_visibility_timeout(visibility_timeout)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(received.messages.unwrap_or_default().pop())
    }

    async fn attributes(&self) -> anyhow::Result<HashMap<QueueAttributeName, String>> {
        let attributes = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await?;
        Ok(attributes.attributes.unwrap_or_default())
    }

    async fn arn(&self) -> anyhow::Result<String> {
        let mut attributes = self.attributes().await?;
        let arn = attributes.remove(&QueueAttributeName::QueueArn);
        arn.context("a queue has an ARN")
    }
}

fn handle(message: &Message) -> &str {
    message.receipt_handle().unwrap_or_default()
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> String {
    let attributes = message.attributes.as_ref();
    let value = attributes.and_then(|attributes| attributes.get(name));
    value.cloned().unwrap_or_default()
}

/// Checks that the request was refused with this code.
fn refused<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, SdkError<E, R>>,
    code: &str,
) -> anyhow::Result<()> {
    match result {
        Ok(answer) => bail!("accepted instead of {code}: {answer:?}"),
        Err(error) if error.code() == Some(code) => Ok(()),
        Err(error) => bail!("refused, but not with {code}: {error:?}"),
    }
}

/// Bounds a loop that polls until a condition holds. Each poll is a request, which paces the loop.
struct Patience {
    for_what: &'static str,
    since: Instant,
}

impl Patience {
    fn until(for_what: &'static str) -> Self {
        Self {
            for_what,
            since: Instant::now(),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let elapsed = self.since.elapsed();
        ensure!(elapsed < PATIENCE, "not in time: {}", self.for_what);
        Ok(())
    }
}
