//! Keeps what was observed until a page needs it: parsing costs many times as much as keeping.

use bytes::Bytes;
use jiff::Timestamp;
use std::collections::VecDeque;

/// The maximum number of entries. Without an open page, the newest replace the oldest.
const MOST: usize = 10_000;
/// The maximum size of all entries together: 16 MiB.
const MOST_BYTES: usize = 16 << 20;

/// Holds calls and deliveries, the newest last.
#[derive(Debug, Default)]
pub struct Unread {
    heard: VecDeque<(Timestamp, Heard)>,
    bytes: usize,
}

/// A call that was answered, or a delivery. Requests and answers are JSON.
#[derive(Debug)]
pub enum Heard {
    /// The queue accepted these messages, except for those that the answer names.
    Sent { request: Bytes, answer: Bytes },
    /// A function received a message: the time at which it was sent, and the receive count.
    Received {
        body: Bytes,
        sent: Timestamp,
        count: u32,
    },
    /// The table accepted a row.
    Put(Bytes),
    /// The tables accepted a whole transaction.
    Transaction(Bytes),
    /// The tables refused a write, with this answer.
    Refused(Bytes),
}

impl Unread {
    pub fn push(&mut self, at: Timestamp, heard: Heard) {
        self.bytes += heard.bytes();
        self.heard.push_back((at, heard));
        while (self.heard.len() > MOST || self.bytes > MOST_BYTES)
            && let Some((_, oldest)) = self.heard.pop_front()
        {
            self.bytes -= oldest.bytes();
        }
    }

    /// Returns all of them, and forgets them.
    pub fn take(&mut self) -> impl Iterator<Item = (Timestamp, Heard)> + use<> {
        std::mem::take(self).heard.into_iter()
    }
}

impl Heard {
    fn bytes(&self) -> usize {
        match self {
            Self::Sent { request, answer } => request.len() + answer.len(),
            Self::Received { body, .. } => body.len(),
            Self::Put(bytes) | Self::Transaction(bytes) | Self::Refused(bytes) => bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_kept_within_both_limits() {
        let check = |pushed: usize, bytes: usize, kept: usize| {
            let mut unread = Unread::default();
            for n in 0..pushed {
                let at = Timestamp::from_second(i64::try_from(n).unwrap_or_default());
                let put = Heard::Put(vec![b' '; bytes].into());
                unread.push(at.unwrap_or_default(), put);
            }
            assert!(unread.bytes <= MOST_BYTES);
            let last = unread.take().map(|(at, _)| at.as_second());
            let expected = (pushed - kept..pushed).map(|n| i64::try_from(n).unwrap_or_default());
            assert!(last.eq(expected), "{pushed} of {bytes} bytes");
            assert_eq!((unread.take().count(), unread.bytes), (0, 0));
        };
        check(3, 1, 3);
        check(MOST + 7, 1, MOST);
        check(40, 1 << 20, 16);
        check(1, MOST_BYTES + 1, 0);
    }
}
