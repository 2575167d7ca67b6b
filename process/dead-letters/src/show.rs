//! `show`: everything about one dead letter.

use crate::{
    console::Console,
    dead::{Dead, Stack},
    stop::{End, Stop},
    view::{self, Shown},
    walk::{Walk, walk},
};
use anyhow::Result;
use events::Timestamp;

/// Shows each message with this id, its order's or its own.
pub async fn show(
    stack: &Stack,
    stop: &Stop,
    id: &str,
    shown: Shown,
    now: Timestamp,
    console: &mut Console,
) -> Result<End> {
    let (found, end) = walk(&stack.queues, stop, console, async |walk, console| {
        find(stack, walk, id, console).await
    })
    .await?;
    for dead in &found {
        console.line(view::details(dead, shown, now))?;
        console.line("")?;
    }
    let count = found.len();
    console.note(format_args!("{count} with the id {id}"))?;
    Ok(end.unless(found.is_empty()))
}

/// Finds each message with this id, its order's or its own. Copies may be anywhere on the queue, so all of it is read;
/// [`Walk::is_whole`] returns whether that was possible.
pub async fn find(
    stack: &Stack,
    walk: &mut Walk<'_>,
    id: &str,
    console: &mut Console,
) -> Result<Vec<Dead>> {
    let mut found = Vec::new();
    while let Some(mut letters) = walk.next().await? {
        letters.retain(|letter| letter.is(id));
        found.extend(stack.judge(letters).await?);
        console.progress(format_args!("{} read, {} found", walk.read(), found.len()))?;
    }
    Ok(found)
}
