//! `drop`: deletes dead letters for good.

use crate::{
    batch::ENTRIES,
    console::Console,
    dead::Stack,
    letter::Letter,
    show::find,
    stop::{End, Stop},
    view::{self, Shown},
    walk::walk,
};
use anyhow::Result;
use events::Timestamp;

/// Drops each message with this id, its order's or its own, if `confirm` agrees. It is shown first what will be lost.
pub async fn drop_letters(
    stack: &Stack,
    stop: &Stop,
    id: &str,
    now: Timestamp,
    console: &mut Console,
    confirm: impl AsyncFnOnce(&mut Console, &str) -> Result<bool>,
) -> Result<End> {
    let (is_dropped, end) = walk(&stack.queues, stop, console, async |walk, console| {
        let found = find(stack, walk, id, console).await?;
        let letters: Vec<&Letter> = found.iter().map(|dead| &dead.letter).collect();
        // Other letters become visible again while the operator thinks.
        walk.give_back(&letters).await;
        for dead in &found {
            console.line(view::details(dead, Shown::default(), now))?;
            console.line(format_args!("{:16}{}", "if dropped", dead.reason.loss()))?;
            console.line("")?;
        }
        // A copy that wasn't found would stay.
        if !walk.is_whole() {
            console.note("Nothing was dropped.")?;
            return Ok(false);
        }
        if found.is_empty() {
            console.note(format_args!("{id} is not on the dead-letter queue"))?;
            return Ok(false);
        }
        let count = letters.len();
        if !confirm(console, &format!("Drop {count} for good?")).await? {
            console.note("Nothing was dropped.")?;
            return Ok(false);
        }
        let mut dropped = 0;
        for letters in letters.chunks(ENTRIES) {
            for (letter, answer) in letters.iter().zip(stack.queues.delete(letters).await?) {
                match answer {
                    Ok(()) => {
                        walk.is_gone(letter);
                        dropped += 1;
                    }
                    Err(why) => console.note(format_args!("{}: {why}", letter.message_id()))?,
                }
            }
            console.progress(format_args!("{dropped} of {count} dropped"))?;
        }
        console.line(format_args!("{dropped} dropped"))?;
        Ok(dropped == count)
    })
    .await?;
    Ok(end.unless(!is_dropped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{Fake, Text, operator, order};
    use serde_json::json;

    /// Drops the order with the number 1, which is on the queue twice, among others. Returns the question that was asked.
    async fn run(fake: &Fake, id: &str, answer: bool) -> Result<(End, Option<String>)> {
        let (text, (_want, stop)) = (Text::default(), operator());
        let mut asked = None;
        let confirm = async |_: &mut Console, question: &str| {
            // Meanwhile the other letters are visible again.
            assert!(fake.held().hidden.keys().eq(["a", "b"]));
            asked = Some(question.to_owned());
            Ok(answer)
        };
        let now = "2026-11-22T10:00:00Z".parse()?;
        let mut console = text.console();
        let end = drop_letters(&fake.stack(), &stop, id, now, &mut console, confirm).await?;
        assert!(fake.held().hidden.is_empty());
        Ok((end, asked))
    }

    #[tokio::test]
    async fn nothing_is_dropped_without_a_yes() -> Result<()> {
        let (fake, placed) = (Fake::default(), order(1, 1)?);
        for (id, order) in [("a", &placed), ("b", &placed), ("c", &order(2, 1)?)] {
            fake.bury(id, &order.to_json(), json!({}));
        }
        let id = placed.id().to_string();
        let question = Some("Drop 2 for good?".to_owned());
        assert_eq!(
            run(&fake, &id, false).await?,
            (End::Incomplete, question.clone())
        );
        assert_eq!(fake.held().letters.len(), 3);
        assert_eq!(run(&fake, &id, true).await?, (End::Done, question));
        assert_eq!(fake.held().ids(), ["c"]);
        assert_eq!(run(&fake, &id, true).await?, (End::Incomplete, None));
        assert_eq!(fake.held().ids(), ["c"]);
        Ok(())
    }
}
