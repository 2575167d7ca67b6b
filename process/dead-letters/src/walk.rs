//! Reads the dead-letter queue once, page by page, and gives back what is left on it.

use crate::{
    batch::ENTRIES,
    console::Console,
    letter::Letter,
    queues::{Counts, Queues, VISIBILITY},
    stop::{End, Stop},
};
use anyhow::Result;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;

/// The receives in a row that must have brought nothing before the queue counts as read. One is enough if as many letters as
/// SQS counts were read.
const ENOUGH: usize = 2;
/// The longest that a page may take, so that what was read first is still hidden when the last page is read.
const SLOW_PAGE: Duration = Duration::from_millis(500);
/// The longest that SQS hides a message.
const LONGEST_VISIBILITY: Duration = Duration::from_hours(12);

/// SQS hides about 120,000 messages of a queue at a time. A receive beyond that returns none. The counts are approximate.
const MOST_HIDDEN: usize = 100_000;

/// A walk over the dead-letter queue. What it has received is hidden from others until it is given back.
#[derive(Debug)]
pub struct Walk<'a> {
    queues: &'a Queues,
    stop: &'a Stop,
    counts: Counts,
    /// What is received is hidden from other readers for this long.
    hidden_for: Duration,
    /// What must be given back, by message id.
    held: HashMap<String, Held>,
    /// The ids of all messages that were read, or that this walk isn't to meet.
    seen: HashSet<String>,
    read: usize,
    in_vain: usize,
    /// A letter that this walk has read became visible again before the last one was read.
    is_overtaken: bool,
    /// What SQS didn't take back, and hides until its visibility timeout ends.
    hidden: usize,
}

/// A letter that this walk has received.
#[derive(Debug)]
struct Held {
    receipt_handle: String,
    /// Just before SQS was asked for it.
    since: Instant,
}

impl<'a> Walk<'a> {
    /// Starts at the beginning.
    async fn begin(queues: &'a Queues, stop: &'a Stop) -> Result<Self> {
        let counts = queues.count().await?;
        Ok(Self {
            queues,
            stop,
            counts,
            hidden_for: hiding(counts.visible),
            held: HashMap::new(),
            seen: HashSet::new(),
            read: 0,
            in_vain: 0,
            is_overtaken: false,
            hidden: 0,
        })
    }

    /// The next letters, ten at most, each once. None at the end, when the operator wants to stop, or when a letter comes
    /// back because its time is over: from then on the queue could go round for ever.
    pub async fn next(&mut self) -> Result<Option<Vec<Letter>>> {
        while !self.stop.is_wanted() && self.in_vain < ENOUGH && !self.is_overtaken {
            let since = Instant::now();
            let mut letters = self.queues.receive(self.hidden_for).await?;
            if letters.is_empty() {
                let is_all = self.read >= self.counts.visible;
                self.in_vain += if is_all { ENOUGH } else { 1 };
                continue;
            }
            self.in_vain = 0;
            for letter in &letters {
                let receipt_handle = letter.receipt_handle().to_owned();
                let held = Held {
                    receipt_handle,
                    since,
                };
                let before = self.held.insert(letter.message_id().to_owned(), held);
                // Before its time is over, SQS has only delivered it twice.
                self.is_overtaken |=
                    before.is_some_and(|before| before.since.elapsed() >= self.hidden_for);
            }
            letters.retain(|letter| self.seen.insert(letter.message_id().to_owned()));
            self.read += letters.len();
            // What was read before is hidden again, and others may be left.
            if !letters.is_empty() {
                return Ok(Some(letters));
            }
        }
        Ok(None)
    }

    /// What SQS counted at the beginning.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The letters that were read so far.
    pub fn read(&self) -> usize {
        self.read
    }

    /// Knows that a letter is no longer on the queue.
    pub fn is_gone(&mut self, letter: &Letter) {
        self.held.remove(letter.message_id());
    }

    /// Won't read the message with this id: the walk has sent it, and it came back as a dead letter. Else a redrive of poison
    /// would have no end.
    pub fn skip(&mut self, message_id: String) {
        self.seen.insert(message_id);
    }

    /// True if the whole queue was read, as far as SQS tells.
    pub fn is_whole(&self) -> bool {
        self.in_vain >= ENOUGH && !self.is_full()
    }

    /// True if the walk ended because SQS hides as many messages as it can, and may hold back others.
    fn is_full(&self) -> bool {
        let hidden = self.held.len() + self.counts.in_flight;
        self.in_vain >= ENOUGH && self.read < self.counts.visible && hidden >= MOST_HIDDEN
    }

    /// Shows others the letters that are left, except for `kept`.
    pub async fn give_back(&mut self, kept: &[&Letter]) {
        let is_kept = |id: &str| kept.iter().any(|letter| letter.message_id() == id);
        let left: Vec<_> = self.held.extract_if(|id, _| !is_kept(id)).collect();
        let handles: Vec<_> = left.iter().map(|(_, held)| &held.receipt_handle).collect();
        for handles in handles.chunks(ENTRIES) {
            self.hidden += match self.queues.give_back(handles).await {
                Ok(answers) => answers.iter().filter(|answer| answer.is_err()).count(),
                Err(_) => handles.len(),
            };
        }
    }
}

/// The time for which a walk over this many letters hides what it reads.
fn hiding(letters: usize) -> Duration {
    let pages = u32::try_from(letters.div_ceil(ENTRIES)).unwrap_or(u32::MAX);
    SLOW_PAGE
        .saturating_mul(pages)
        .clamp(VISIBILITY, LONGEST_VISIBILITY)
}

/// Walks over the dead-letter queue. What is left on it is given back in the end, whether `work` succeeds or not.
pub async fn walk<T>(
    queues: &Queues,
    stop: &Stop,
    console: &mut Console,
    work: impl AsyncFnOnce(&mut Walk<'_>, &mut Console) -> Result<T>,
) -> Result<(T, End)> {
    let mut walk = Walk::begin(queues, stop).await?;
    let worked = work(&mut walk, console).await;
    let (is_whole, is_full) = (walk.is_whole(), walk.is_full());
    walk.give_back(&[]).await;
    let hidden = walk.hidden;
    let Counts {
        visible, in_flight, ..
    } = walk.counts;
    if hidden > 0 {
        console.note(format_args!(
            "SQS didn't take {hidden} back: they stay hidden for up to {} minutes.",
            walk.hidden_for.as_secs() / 60
        ))?;
    }
    let value = worked?;
    if in_flight > 0 {
        console.note(format_args!(
            "{in_flight} more were hidden when this began: someone else reads the queue, or did not give them back."
        ))?;
    }
    if is_whole {
        return Ok((value, End::Done));
    }
    if is_full {
        console.note(format_args!(
            "Not all were read: SQS hides 120,000 messages at most, and returns no more until some are back. {} of about \
             {visible} dead letters were read. Redrive by --all, or drop what was read.",
            walk.read
        ))?;
        return Ok((value, End::Incomplete));
    }
    if walk.is_overtaken {
        console.note(format_args!(
            "Not all were read: after {} of about {visible} dead letters the first became visible again. Nothing is known of \
             the others. Redrive by --all, which need not read all first, or run this closer to the queue.",
            walk.read
        ))?;
        return Ok((value, End::Incomplete));
    }
    console.note(format_args!(
        "Interrupted after {} of about {visible} dead letters. The others are as they were.",
        walk.read
    ))?;
    Ok((value, End::Interrupted))
}

#[cfg(test)]
mod tests;
