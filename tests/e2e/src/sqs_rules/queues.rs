//! Rules of queues: names, attributes, refused requests.

use super::{Patience, Queues, refused};
use anyhow::{Context, ensure};
use aws_sdk_sqs::{error::ProvideErrorMetadata, types::QueueAttributeName};

const NON_EXISTENT_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

pub async fn creating_a_queue_again_finds_it(queues: &Queues) -> anyhow::Result<()> {
    let attributes = [(QueueAttributeName::VisibilityTimeout, "5")];
    let queue = queues.create(&attributes).await?;
    let create = |timeout: &str| {
        let create = queue.client.create_queue().queue_name(&queue.name);
        let name = QueueAttributeName::VisibilityTimeout;
        create.attributes(name, timeout).send()
    };
    ensure!(create("5").await?.queue_url() == Some(&*queue.url));
    refused(create("6").await, "QueueAlreadyExists")?;
    let found = queue.client.get_queue_url().queue_name(&queue.name);
    ensure!(found.send().await?.queue_url() == Some(&*queue.url));
    let invalid = queue.client.create_queue().queue_name("not a name");
    refused(invalid.send().await, "InvalidParameterValue")
}

pub async fn an_unknown_queue_is_refused(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let unknown = format!("{}-missing", queue.url);
    let found = queue.client.get_queue_url().queue_name("missing");
    refused(found.send().await, NON_EXISTENT_QUEUE)?;
    let send = queue.client.send_message().queue_url(&unknown);
    refused(send.message_body("body").send().await, NON_EXISTENT_QUEUE)?;
    let receive = queue.client.receive_message().queue_url(&unknown);
    refused(receive.send().await, NON_EXISTENT_QUEUE)?;
    let delete = queue.client.delete_queue().queue_url(&unknown);
    refused(delete.send().await, NON_EXISTENT_QUEUE)
}

pub async fn attributes_that_were_set_are_returned(queues: &Queues) -> anyhow::Result<()> {
    let dead_letters = queues.create(&[]).await?;
    let arn = dead_letters.arn().await?;
    let policy = format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":3}}");
    let set = [
        (QueueAttributeName::VisibilityTimeout, "43200"),
        (QueueAttributeName::MessageRetentionPeriod, "1209600"),
        (QueueAttributeName::DelaySeconds, "900"),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "20"),
        (QueueAttributeName::MaximumMessageSize, "1024"),
    ];
    let queue = queues.create(&set).await?;
    let change = queue.client.set_queue_attributes().queue_url(&queue.url);
    change
        .attributes(QueueAttributeName::RedrivePolicy, &policy)
        .attributes(QueueAttributeName::DelaySeconds, "0")
        .send()
        .await?;
    let attributes = queue.attributes().await?;
    for (name, value) in &set {
        let value = if *name == QueueAttributeName::DelaySeconds {
            "0"
        } else {
            value
        };
        ensure!(attributes[name] == *value, "{name}: {}", attributes[name]);
    }
    let stored: serde_json::Value =
        serde_json::from_str(&attributes[&QueueAttributeName::RedrivePolicy])?;
    ensure!(stored == serde_json::from_str::<serde_json::Value>(&policy)?);
    ensure!(attributes[&QueueAttributeName::QueueArn].ends_with(&queue.name));
    for name in [
        QueueAttributeName::CreatedTimestamp,
        QueueAttributeName::LastModifiedTimestamp,
    ] {
        ensure!(attributes[&name].parse::<u64>()? > 1_700_000_000, "{name}");
    }
    let one = queue.client.get_queue_attributes().queue_url(&queue.url);
    let one = one
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await?;
    ensure!(one.attributes.context("attributes")?.len() == 1);
    Ok(())
}

pub async fn a_queue_attribute_has_a_valid_value(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    for (name, value) in [
        (QueueAttributeName::VisibilityTimeout, "43201"),
        (QueueAttributeName::MaximumMessageSize, "1023"),
        (QueueAttributeName::DelaySeconds, "soon"),
    ] {
        let set = queue.client.set_queue_attributes().queue_url(&queue.url);
        let set = set.attributes(name, value).send().await;
        refused(set, "InvalidAttributeValue").context(value)?;
    }
    Ok(())
}

pub async fn an_unknown_queue_attribute_is_refused(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let set = queue.client.set_queue_attributes().queue_url(&queue.url);
    let set = set.attributes(QueueAttributeName::from("NoSuchAttribute"), "1");
    refused(set.send().await, "InvalidAttributeName")?;
    let get = queue.client.get_queue_attributes().queue_url(&queue.url);
    let get = get.attribute_names(QueueAttributeName::from("NoSuchAttribute"));
    refused(get.send().await, "InvalidAttributeName")
}

pub async fn messages_are_counted_by_their_state(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    for body in ["one", "two", "three"] {
        queue.send(body).await?;
    }
    let send = queue.client.send_message().queue_url(&queue.url);
    send.message_body("later").delay_seconds(600).send().await?;
    queue.receive().await?;
    let patience = Patience::until("two visible, one in flight, one delayed");
    let expected = [
        (QueueAttributeName::ApproximateNumberOfMessages, "2"),
        (
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            "1",
        ),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "1"),
    ];
    loop {
        let attributes = queue.attributes().await?;
        if expected
            .iter()
            .all(|(name, count)| attributes[name] == *count)
        {
            return Ok(());
        }
        patience.check()?;
    }
}

pub async fn a_purged_queue_is_empty(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    queue.send("body").await?;
    let purge = queue.client.purge_queue().queue_url(&queue.url);
    purge.send().await?;
    let patience = Patience::until("the queue is empty");
    while queue.attributes().await?[&QueueAttributeName::ApproximateNumberOfMessages] != "0" {
        patience.check()?;
    }
    queue.receives_nothing().await
}

pub async fn queues_are_listed_by_prefix(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let patience = Patience::until("the queue is listed");
    loop {
        let list = queue.client.list_queues().queue_name_prefix(&queue.name);
        if list.send().await?.queue_urls() == [queue.url.clone()] {
            return Ok(());
        }
        patience.check()?;
    }
}

pub async fn the_sources_of_dead_letters_are_listed(queues: &Queues) -> anyhow::Result<()> {
    let dead_letters = queues.create(&[]).await?;
    let arn = dead_letters.arn().await?;
    let policy = format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":3}}");
    let attributes = [(QueueAttributeName::RedrivePolicy, policy.as_str())];
    let source = queues.create(&attributes).await?;
    let patience = Patience::until("the source is listed");
    loop {
        let list = source.client.list_dead_letter_source_queues();
        let listed = list.queue_url(&dead_letters.url).send().await?;
        if listed.queue_urls() == [source.url.clone()] {
            return Ok(());
        }
        patience.check()?;
    }
}

pub async fn a_deleted_queue_is_unknown(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let delete = queue.client.delete_queue().queue_url(&queue.url);
    delete.send().await?;
    // AWS takes up to 60 s to forget a queue; its name alone is forgotten sooner.
    let patience = Patience::until("the queue is unknown");
    loop {
        let found = queue.client.get_queue_url().queue_name(&queue.name);
        match found.send().await {
            Err(error) if error.code() == Some(NON_EXISTENT_QUEUE) => return Ok(()),
            _ => patience.check()?,
        }
    }
}
