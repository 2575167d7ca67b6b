//! Reads the dead-letter queue once, page by page, and then gives back what is left on it.

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

/// How many receives in a row must return nothing before the queue counts as read. One is enough if as many letters were read
/// as SQS counts.
const ENOUGH: usize = 2;
/// Longest time for a page. Then the first letters are still hidden when the last page is read.
const SLOW_PAGE: Duration = Duration::from_millis(500);
/// Longest time for which SQS hides a message.
const LONGEST_VISIBILITY: Duration = Duration::from_hours(12);

/// SQS hides at most about 120,000 messages of a queue; beyond that, receives return none. Lower, because counts are
/// approximate.
const MOST_HIDDEN: usize = 100_000;

/// A walk over the dead-letter queue. Letters that it has received are hidden from other readers until it gives them back.
#[derive(Debug)]
pub struct Walk<'a> {
    queues: &'a Queues,
    stop: &'a Stop,
    counts: Counts,
    /// How long received letters are hidden from other readers.
    hidden_for: Duration,
    /// Letters to be given back, by message id.
    held: HashMap<String, Held>,
    /// Ids of all messages that were read, or that the walk must skip.
    seen: HashSet<String>,
    read: usize,
    in_vain: usize,
    /// Whether a letter that this walk has read became visible again before the last one was read.
    is_overtaken: bool,
    /// How many letters SQS refused to make visible again: they stay hidden until their visibility timeout ends.
    hidden: usize,
}

/// A letter that this walk has received.
#[derive(Debug)]
struct Held {
    receipt_handle: String,
    /// The time just before SQS was asked for the letter.
    since: Instant,
}

impl<'a> Walk<'a> {
    /// Starts a walk.
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

    /// Returns the next letters, at most ten, each only once. None at the end, if the operator wants to stop, or if a letter
    /// came back because its time was over: the walk could then go round in circles for ever.
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
                // Within its time, a letter that comes again was merely delivered twice.
                self.is_overtaken |=
                    before.is_some_and(|before| before.since.elapsed() >= self.hidden_for);
            }
            letters.retain(|letter| self.seen.insert(letter.message_id().to_owned()));
            self.read += letters.len();
            // These letters were all read before, and are hidden again. There may be others.
            if !letters.is_empty() {
                return Ok(Some(letters));
            }
        }
        Ok(None)
    }

    /// Returns SQS's counts from the beginning of the walk.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns how many letters were read so far.
    pub fn read(&self) -> usize {
        self.read
    }

    /// Forgets a letter that is no longer on the queue.
    pub fn is_gone(&mut self, letter: &Letter) {
        self.held.remove(letter.message_id());
    }

    /// Skips the message with this id, which the walk has sent, in case it comes back as a dead letter. A redrive of poison
    /// would otherwise never end.
    pub fn skip(&mut self, message_id: String) {
        self.seen.insert(message_id);
    }

    /// Returns whether the whole queue was read, as far as SQS shows.
    pub fn is_whole(&self) -> bool {
        self.in_vain >= ENOUGH && !self.is_full()
    }

    /// Returns whether the walk ended because SQS hides as many messages as it can, and may hold back others.
    fn is_full(&self) -> bool {
        let hidden = self.held.len() + self.counts.in_flight;
        self.in_vain >= ENOUGH && self.read < self.counts.visible && hidden >= MOST_HIDDEN
    }

    /// Makes the remaining letters, except `kept`, visible to other readers again.
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

/// Returns how long a walk over this many letters hides what it reads.
fn hiding(letters: usize) -> Duration {
    let pages = u32::try_from(letters.div_ceil(ENTRIES)).unwrap_or(u32::MAX);
    SLOW_PAGE
        .saturating_mul(pages)
        .clamp(VISIBILITY, LONGEST_VISIBILITY)
}

/// Walks over the dead-letter queue. Finally gives back what is left on it, whether `work` succeeds or not.
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
            "{hidden} could not be given back to SQS: they stay hidden for up to {} minutes.",
            walk.hidden_for.as_secs() / 60
        ))?;
    }
    let value = worked?;
    if in_flight > 0 {
        console.note(format_args!(
            "{in_flight} more were hidden at the start: another reader has received them, and may not have given them back."
        ))?;
    }
    if is_whole {
        return Ok((value, End::Done));
    }
    if is_full {
        console.note(format_args!(
            "Not all were read: SQS hides at most 120,000 messages, and returns no more until some are given back. {} of about \
             {visible} dead letters were read. Redrive with --all, or drop what was read.",
            walk.read
        ))?;
        return Ok((value, End::Incomplete));
    }
    if walk.is_overtaken {
        console.note(format_args!(
            "Not all were read: after {} of about {visible} dead letters the first became visible again. The others \
             were not read. Redrive with --all, which need not read all first, or run this closer to the queue.",
            walk.read
        ))?;
        return Ok((value, End::Incomplete));
    }
    console.note(format_args!(
        "Interrupted after {} of about {visible} dead letters. The others are unchanged.",
        walk.read
    ))?;
    Ok((value, End::Interrupted))
}

#[cfg(test)]
mod tests;
