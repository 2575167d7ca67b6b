//! A queue with more letters than can be read within their time.

use super::*;
use crate::{
    dropping::drop_letters,
    faked::{Fake, Text, operator, order},
    list::list,
    reason::Reason,
    redrive::redrive,
    selection::Selection,
    show::show,
    view::Shown,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::time::timeout;

/// Fakes 120 letters. Each receive takes `seconds` and returns ten letters. The last letter is order number 1.
fn slow(seconds: u64) -> Result<(Fake, String)> {
    let (fake, placed) = (Fake::default(), order(1, 1)?);
    for n in 0..119 {
        fake.bury(&format!("poison {n}"), "poison", json!({}));
    }
    fake.bury("last", &placed.to_json(), json!({}));
    fake.held().receive_takes = Duration::from_secs(seconds);
    Ok((fake, placed.id().to_string()))
}

fn selected(ids: &[&str], reasons: &[Reason]) -> Selection {
    Selection {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        client: None,
        reasons: reasons.to_vec(),
    }
}

/// Runs a command on such a queue, which must end within a day. Returns its end, what it printed, and the fake.
async fn run(command: &str, seconds: u64) -> Result<(End, String, Fake)> {
    let ((fake, id), (_want, stop)) = (slow(seconds)?, operator());
    let (stack, text) = (fake.stack(), Text::default());
    let console = &mut text.whole_console();
    let now = "2026-11-22T10:00:00Z".parse()?;
    let shown = Shown::default();
    let yes = async |_: &mut Console, _: &str| Ok(true);
    let ended = timeout(Duration::from_hours(24), async {
        match command {
            "list" => list(&stack, &stop, shown, now, console).await,
            "show" => show(&stack, &stop, &id, shown, now, console).await,
            "drop" => drop_letters(&stack, &stop, &id, now, console, yes).await,
            "redrive --id" => redrive(&stack, &stop, &selected(&[&id], &[]), false, console).await,
            "redrive --reason" => {
                let queued = selected(&[], &[Reason::Queued]);
                redrive(&stack, &stop, &queued, false, console).await
            }
            _ => redrive(&stack, &stop, &selected(&[], &[]), false, console).await,
        }
    });
    Ok((ended.await??, text.read(), fake))
}

const COMMANDS: [&str; 5] = ["list", "show", "drop", "redrive --id", "redrive --reason"];

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_overtaken_by_its_own_letters_ends_and_says_so() -> Result<()> {
    // Eight pages in 15 minutes; and seven, the last of which arrives after a letter's time has ended.
    for (seconds, read) in [(120, 80), (149, 70), (3600, 10)] {
        for command in COMMANDS {
            let (end, text, fake) = run(command, seconds).await?;
            assert_eq!(end, End::Incomplete, "{command}: {text}");
            let note = format!("Not all were read: after {read} of about 120 dead letters");
            assert!(text.contains(&note), "{command} {seconds}: {text}");
            // The order may be among the letters that weren't read.
            assert!(!text.contains("is not on the dead-letter queue"), "{text}");
            let held = fake.held();
            assert!(held.hidden.is_empty() && held.sent.is_empty(), "{command}");
            assert_eq!(held.letters.len(), 120, "{command}");
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hides_as_many_as_it_can_is_not_whole() -> Result<()> {
    for (in_flight, expected) in [(119_950, true), (50, false)] {
        let ((fake, id), (_want, stop)) = (slow(0)?, operator());
        let received = Mutex::new(0);
        fake.interfere(move |call, _| match call {
            "GetQueueAttributes" => {
                let counted = json!({"ApproximateNumberOfMessages": "120",
                    "ApproximateNumberOfMessagesNotVisible": in_flight.to_string()});
                Some((200, json!({"Attributes": counted})))
            }
            "ReceiveMessage" => {
                let mut received = received.lock().expect("no panic in here");
                *received += 1;
                // The limit is reached in the middle of the queue.
                (*received > 5).then(|| (200, json!({})))
            }
            _ => None,
        });
        let (stack, text) = (fake.stack(), Text::default());
        let selected = selected(&[&id], &[]);
        let end = redrive(&stack, &stop, &selected, false, &mut text.whole_console()).await?;
        // In the second case the queue was read to its end, and the order isn't on it.
        assert_eq!(end, End::Incomplete);
        let text = text.read();
        assert_eq!(text.contains("Not all were read"), expected, "{text}");
        assert_eq!(fake.held().letters.len(), 120);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_fast_enough_is_whole() -> Result<()> {
    for command in COMMANDS {
        let (end, text, fake) = run(command, 70).await?;
        assert_eq!(end, End::Done, "{command}: {text}");
        assert!(fake.held().hidden.is_empty(), "{command}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn all_can_be_redriven_however_long_it_takes() -> Result<()> {
    let (end, text, fake) = run("redrive --all", 600).await?;
    assert_eq!(end, End::Done, "{text}");
    let held = fake.held();
    assert_eq!((held.sent.len(), held.letters.len()), (120, 0));
    Ok(())
}

#[tokio::test]
async fn the_more_letters_there_are_the_longer_they_are_hidden() -> Result<()> {
    // From two pages a second, up to 12 hours, the longest that SQS allows.
    for (letters, seconds) in [
        (0, 900),
        (18_000, 900),
        (55_000, 2_750),
        (120_000, 6_000),
        (10_000_000, 43_200),
    ] {
        let (fake, (_want, stop)) = (Fake::default(), operator());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        fake.interfere(move |call, request| {
            if call == "ReceiveMessage" {
                let mut seen = seen.lock().expect("no panic in here");
                seen.push(request["VisibilityTimeout"].clone());
            }
            let counted = json!({"ApproximateNumberOfMessages": letters.to_string()});
            (call == "GetQueueAttributes").then(|| (200, json!({"Attributes": counted})))
        });
        let (stack, console) = (fake.stack(), &mut Text::default().console());
        let read = walk(&stack.queues, &stop, console, async |walk, _| {
            while walk.next().await?.is_some() {}
            Ok(walk.read())
        });
        assert_eq!(read.await?, (0, End::Done));
        let asked = asked.lock().expect("no panic in here");
        assert!(
            !asked.is_empty() && asked.iter().all(|asked| *asked == seconds),
            "{letters}: {asked:?}"
        );
    }
    Ok(())
}
