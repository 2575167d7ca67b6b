//! `redrive`: sends dead letters back to the queue of orders.

use crate::{
    console::Console,
    dead::{Dead, Stack},
    letter::Letter,
    selection::Selection,
    stop::{End, Stop},
    walk::{Walk, walk},
};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// How many letters met which fate.
#[derive(Debug, Default)]
struct Tally {
    redriven: usize,
    stay: usize,
    refused: usize,
    /// Sent, but still on the dead-letter queue.
    doubled: usize,
}

/// Redrives the selected letters, page by page. Each is deleted from the dead-letter queue only after SQS has confirmed the
/// send. After an interruption in between, the order is on both queues, and takes effect once.
pub async fn redrive(
    stack: &Stack,
    stop: &Stop,
    selection: &Selection,
    dry_run: bool,
    console: &mut Console,
) -> Result<End> {
    let mut tally = Tally::default();
    let would = if dry_run { "would be " } else { "" };
    let mut missing: BTreeSet<_> = selection.ids.iter().collect();
    let walked = walk(&stack.queues, stop, console, async |walk, console| {
        while let Some(letters) = walk.next().await? {
            let read = letters.len();
            let mut chosen = stack.judge(letters).await?;
            chosen.retain(|dead| selection.takes(&dead.letter, dead.reason));
            missing.retain(|id| !chosen.iter().any(|dead| dead.letter.is(id)));
            tally.stay += read - chosen.len();
            if dry_run {
                tally.redriven += chosen.len();
                for dead in &chosen {
                    report("would be redriven", dead, console)?;
                }
            } else if !chosen.is_empty() {
                page(stack, walk, &chosen, &mut tally, console).await?;
            }
            let Tally { redriven, stay, .. } = tally;
            let read = walk.read();
            console.progress(format_args!(
                "{read} read: {redriven} {would}redriven, {stay} stay"
            ))?;
        }
        Ok(())
    })
    .await;
    // An error stops the rest, but what was done counts.
    let Tally {
        redriven,
        stay,
        refused,
        doubled,
    } = tally;
    console.line(format_args!(
        "{redriven} {would}redriven, {refused} refused, {stay} stay"
    ))?;
    if doubled > 0 {
        console.note(format_args!(
            "{doubled} of them could not be deleted from the dead-letter queue. They are on both queues, which is safe: an \
             order takes effect once. Redrive them again, or drop them when they have their outcome."
        ))?;
    }
    let ((), end) = walked?;
    if end == End::Done {
        for id in &missing {
            console.note(format_args!("{id} is not on the dead-letter queue"))?;
        }
    }
    Ok(end.unless(refused + doubled + missing.len() > 0))
}

async fn page(
    stack: &Stack,
    walk: &mut Walk<'_>,
    chosen: &[Dead],
    tally: &mut Tally,
    console: &mut Console,
) -> Result<()> {
    let letters: Vec<&Letter> = chosen.iter().map(|dead| &dead.letter).collect();
    let answers = stack.queues.send(&letters).await;
    let answers = answers.context(
        "no order of this call was confirmed as sent; any that was sent is on both queues",
    )?;
    let (mut sent, mut refused) = (Vec::new(), Vec::new());
    for (dead, answer) in chosen.iter().zip(answers) {
        match answer {
            Ok(message_id) => {
                walk.skip(message_id);
                sent.push(dead);
            }
            Err(why) => refused.push((dead, why)),
        }
    }
    (tally.redriven, tally.refused) = (tally.redriven + sent.len(), tally.refused + refused.len());
    if !sent.is_empty() {
        // Even if the operator wants to stop: orders that were sent must not stay here.
        let letters: Vec<&Letter> = sent.iter().map(|dead| &dead.letter).collect();
        let deleted = stack
            .queues
            .delete(&letters)
            .await
            .inspect_err(|_| tally.doubled += letters.len())?;
        for (letter, answer) in letters.iter().zip(deleted) {
            match answer {
                Ok(()) => walk.is_gone(letter),
                Err(_) => tally.doubled += 1,
            }
        }
    }
    for dead in sent {
        report("redriven", dead, console)?;
    }
    for (dead, why) in refused {
        report(&format!("refused ({why})"), dead, console)?;
    }
    Ok(())
}

fn report(what: &str, dead: &Dead, console: &mut Console) -> Result<()> {
    console.line(format_args!(
        "{}  {}  {what}",
        dead.letter.id(),
        dead.reason
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests;
