//! Rules of messages: bodies, attributes, digests.

use super::{Queues, attribute, refused};
use anyhow::{Context, ensure};
use aws_sdk_sqs::{
    primitives::Blob,
    types::{
        MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
        MessageSystemAttributeValue, QueueAttributeName,
    },
};
use std::time::{Duration, Instant};

const MEBIBYTE: usize = 1_048_576;

pub async fn a_message_is_received_as_it_was_sent(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let body = "{\"sku\":\"Käse\"}\t\r\n \u{10ffff}\u{e000} <&>";
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let sent = queue
        .client
        .send_message()
        .queue_url(&queue.url)
        .message_body(body)
        .message_attributes("text", string("caf\u{e9}")?)
        .message_attributes("number", number("7")?)
        .message_attributes("binary", binary(&[0, 1, 255])?)
        .message_system_attributes(
            MessageSystemAttributeNameForSends::AwsTraceHeader,
            MessageSystemAttributeValue::builder()
                .data_type("String")
                .string_value(trace)
                .build()?,
        )
        .message_group_id("client-1")
        .send()
        .await?;
    let message = queue.receive().await?;
    ensure!(message.body() == Some(body));
    ensure!(message.message_id == sent.message_id);
    ensure!(message.md5_of_body.is_some() && message.md5_of_body == sent.md5_of_message_body);
    ensure!(
        message.md5_of_message_attributes.as_deref() == Some("60e7c11783bc46dff85650d2a327f5c7"),
        "{message:?}"
    );
    ensure!(message.md5_of_message_attributes == sent.md5_of_message_attributes);
    let attributes = message.message_attributes.as_ref().context("attributes")?;
    ensure!(attributes.len() == 3);
    ensure!(attributes["text"] == string("caf\u{e9}")?);
    ensure!(attributes["number"] == number("7")?);
    ensure!(attributes["binary"] == binary(&[0, 1, 255])?);
    ensure!(attribute(&message, &MessageSystemAttributeName::AwsTraceHeader) == trace);
    ensure!(attribute(&message, &MessageSystemAttributeName::MessageGroupId) == "client-1");
    ensure!(
        attribute(
            &message,
            &MessageSystemAttributeName::ApproximateReceiveCount
        ) == "1"
    );
    ensure!(!attribute(&message, &MessageSystemAttributeName::SenderId).is_empty());
    let time = |name| attribute(&message, &name).parse::<u64>();
    let sent_at = time(MessageSystemAttributeName::SentTimestamp)?;
    let received_at = time(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp)?;
    ensure!((1_700_000_000_000..=received_at).contains(&sent_at));
    Ok(())
}

pub async fn attributes_are_returned_when_asked_for(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let send = queue.client.send_message().queue_url(&queue.url);
    send.message_body("body")
        .message_attributes("bar.one", string("1")?)
        .message_attributes("bar.two", string("2")?)
        .message_attributes("foo", string("3")?)
        .send()
        .await?;
    for (asked, expected) in [
        (None, vec![]),
        (Some("foo"), vec!["foo"]),
        (Some("bar.*"), vec!["bar.one", "bar.two"]),
        (Some(".*"), vec!["bar.one", "bar.two", "foo"]),
        (Some("All"), vec!["bar.one", "bar.two", "foo"]),
        (Some("*"), vec!["bar.one", "bar.two", "foo"]),
    ] {
        let received = queue
            .client
            .receive_message()
            .queue_url(&queue.url)
            .wait_time_seconds(20)
            .visibility_timeout(0)
            .set_message_attribute_names(asked.map(|name| vec![name.to_owned()]))
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await?;
        let message = received.messages().first().context("no message")?;
        let names = message.message_attributes.iter().flat_map(|all| all.keys());
        let mut names: Vec<_> = names.map(String::as_str).collect();
        names.sort_unstable();
        ensure!(names == expected, "{asked:?}: {names:?}");
        ensure!(message.md5_of_message_attributes.is_none() == expected.is_empty());
        let system = message.attributes.iter().flat_map(|all| all.keys());
        ensure!(
            system.eq([&MessageSystemAttributeName::SentTimestamp]),
            "{message:?}"
        );
    }
    Ok(())
}

pub async fn a_message_has_a_body(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let send = queue.client.send_message().queue_url(&queue.url);
    refused(send.message_body("").send().await, "MissingParameter")
}

pub async fn a_message_has_only_characters_that_xml_allows(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    for valid in [
        "\t\n\r",
        "\u{20}\u{7f}",
        "\u{d7ff}\u{e000}\u{fffd}",
        "\u{10000}",
    ] {
        queue
            .send(valid)
            .await
            .with_context(|| format!("{valid:?}"))?;
    }
    for invalid in ["a\0b", "\u{8}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let send = queue.client.send_message().queue_url(&queue.url);
        refused(
            send.message_body(invalid).send().await,
            "InvalidMessageContents",
        )?;
    }
    Ok(())
}

pub async fn a_message_has_at_most_a_mebibyte_with_its_attributes(
    queues: &Queues,
) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let attribute_bytes = "name".len() + "String".len() + "value".len();
    for (body, attribute, accepted) in [
        (MEBIBYTE, false, true),
        (MEBIBYTE + 1, false, false),
        (MEBIBYTE - attribute_bytes, true, true),
        (MEBIBYTE - attribute_bytes + 1, true, false),
    ] {
        let mut request = queue.client.send_message().queue_url(&queue.url);
        if attribute {
            request = request.message_attributes("name", string("value")?);
        }
        let sent = request.message_body("x".repeat(body)).send().await;
        if accepted {
            sent.with_context(|| format!("{body} bytes"))?;
        } else {
            refused(sent, "InvalidParameterValue")?;
        }
    }
    Ok(())
}

pub async fn a_queue_may_take_smaller_messages_only(queues: &Queues) -> anyhow::Result<()> {
    let maximum = (QueueAttributeName::MaximumMessageSize, "1024");
    let queue = queues.create(&[maximum]).await?;
    queue.send(&"é".repeat(512)).await?;
    let request = queue.client.send_message().queue_url(&queue.url);
    let sent = request.message_body("é".repeat(513)).send().await;
    refused(sent, "InvalidParameterValue")
}

pub async fn a_message_group_is_named_in_printable_characters(
    queues: &Queues,
) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let (longest, too_long) = ("g".repeat(128), "g".repeat(129));
    let send = |group: &str| {
        let send = queue.client.send_message().queue_url(&queue.url);
        send.message_body("body").message_group_id(group).send()
    };
    for valid in ["a", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", &longest] {
        send(valid).await.with_context(|| valid.to_owned())?;
    }
    for invalid in ["a b", "é", &too_long] {
        refused(send(invalid).await, "InvalidParameterValue")?;
    }
    Ok(())
}

pub async fn a_standard_queue_takes_no_deduplication_id(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    let request = queue.client.send_message().queue_url(&queue.url);
    let sent = request.message_body("body").message_deduplication_id("id");
    refused(sent.send().await, "InvalidParameterValue")
}

pub async fn a_delayed_message_is_received_after_its_delay(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues
        .create(&[(QueueAttributeName::DelaySeconds, "6")])
        .await?;
    let sent_at = Instant::now();
    queue.send("of the queue").await?;
    let send = queue.client.send_message().queue_url(&queue.url);
    send.message_body("of the message")
        .delay_seconds(1)
        .send()
        .await?;
    let first = queue.receive().await?;
    ensure!(first.body() == Some("of the message"));
    ensure!(sent_at.elapsed() >= Duration::from_secs(1));
    let second = queue.receive().await?;
    ensure!(second.body() == Some("of the queue"));
    ensure!(sent_at.elapsed() >= Duration::from_secs(6));
    Ok(())
}

pub async fn a_delay_is_at_most_fifteen_minutes(queues: &Queues) -> anyhow::Result<()> {
    let queue = queues.create(&[]).await?;
    for (seconds, accepted) in [(900, true), (901, false), (-1, false)] {
        let request = queue.client.send_message().queue_url(&queue.url);
        let sent = request
            .message_body("body")
            .delay_seconds(seconds)
            .send()
            .await;
        if accepted {
            sent?;
        } else {
            refused(sent, "InvalidParameterValue")?;
        }
    }
    Ok(())
}

fn string(value: &str) -> anyhow::Result<MessageAttributeValue> {
    let builder = MessageAttributeValue::builder().data_type("String");
    Ok(builder.string_value(value).build()?)
}

fn number(value: &str) -> anyhow::Result<MessageAttributeValue> {
    let builder = MessageAttributeValue::builder().data_type("Number.int");
    Ok(builder.string_value(value).build()?)
}

fn binary(value: &[u8]) -> anyhow::Result<MessageAttributeValue> {
    let builder = MessageAttributeValue::builder().data_type("Binary");
    Ok(builder.binary_value(Blob::new(value)).build()?)
}
