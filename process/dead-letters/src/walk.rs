//! Reads the dead-letter queue whole, page by page, and gives back what is left on it.

use crate::{
    batch::ENTRIES,
    console::Console,
    letter::Letter,
    queues::{Counts, Queues, VISIBILITY},
    stop::{End, Stop},
};
use anyhow::Result;
use std::collections::{HashMap, HashSet};

/// The receives in a row that must have brought nothing before the queue counts as read. One is enough if as many letters as
/// SQS counts were read.
const ENOUGH: usize = 2;

/// A walk over the dead-letter queue. What it has received is hidden from others until it is given back.
#[derive(Debug)]
pub struct Walk<'a> {
    queues: &'a Queues,
    stop: &'a Stop,
    counts: Counts,
    /// The receipt handles of what is to be given back, by message id.
    held: HashMap<String, String>,
    /// The ids of all messages that were read, or that this walk isn't to meet.
    seen: HashSet<String>,
    read: usize,
    in_vain: usize,
    /// What SQS didn't take back, and hides until its visibility timeout ends.
    hidden: usize,
}

impl<'a> Walk<'a> {
    /// Starts at the beginning.
    async fn begin(queues: &'a Queues, stop: &'a Stop) -> Result<Self> {
        Ok(Self {
            queues,
            stop,
            counts: queues.count().await?,
            held: HashMap::new(),
            seen: HashSet::new(),
            read: 0,
            in_vain: 0,
            hidden: 0,
        })
    }

    /// The next letters, ten at most, each once. None at the end, or when the operator wants to stop.
    pub async fn next(&mut self) -> Result<Option<Vec<Letter>>> {
        while !self.stop.is_wanted() && self.in_vain < ENOUGH {
            let mut letters = self.queues.receive().await?;
            if letters.is_empty() {
                let is_all = self.read >= self.counts.visible;
                self.in_vain += if is_all { ENOUGH } else { 1 };
                continue;
            }
            self.in_vain = 0;
            for letter in &letters {
                let (id, handle) = (letter.message_id(), letter.receipt_handle());
                self.held.insert(id.to_owned(), handle.to_owned());
            }
            letters.retain(|letter| self.seen.insert(letter.message_id().to_owned()));
            self.read += letters.len();
            // What it met before is hidden again, and others may be left.
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
        self.in_vain >= ENOUGH
    }

    /// Shows others the letters that are left, except for `kept`.
    pub async fn give_back(&mut self, kept: &[&Letter]) {
        let is_kept = |id: &str| kept.iter().any(|letter| letter.message_id() == id);
        let left: Vec<_> = self.held.extract_if(|id, _| !is_kept(id)).collect();
        let handles: Vec<_> = left.iter().map(|(_, handle)| handle).collect();
        for handles in handles.chunks(ENTRIES) {
            self.hidden += match self.queues.give_back(handles).await {
                Ok(answers) => answers.iter().filter(|answer| answer.is_err()).count(),
                Err(_) => handles.len(),
            };
        }
    }
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
    walk.give_back(&[]).await;
    let hidden = walk.hidden;
    let (
        minutes,
        Counts {
            visible, in_flight, ..
        },
    ) = (VISIBILITY.as_secs() / 60, walk.counts);
    if hidden > 0 {
        console.note(format_args!(
            "SQS didn't take {hidden} back: they stay hidden for up to {minutes} minutes."
        ))?;
    }
    let value = worked?;
    if in_flight > 0 {
        console.note(format_args!(
            "{in_flight} more were hidden when this began: someone else reads the queue, or did not give them back."
        ))?;
    }
    if walk.is_whole() {
        return Ok((value, End::Done));
    }
    console.note(format_args!(
        "Interrupted after {} of about {visible} dead letters. The others are as they were.",
        walk.read
    ))?;
    Ok((value, End::Interrupted))
}
