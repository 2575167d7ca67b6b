//! A model of the queue and its dead-letter queue.

use crate::clock;
use aws_lambda_events::sqs::SqsMessage;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Notify, time::Instant};

/// The longest that SQS hides a message, counted from its receive.
const LONGEST: Duration = Duration::from_hours(12);

/// The queue.
#[derive(Debug)]
pub struct Queue {
    visibility: Duration,
    max_receives: u32,
    messages: HashMap<usize, Message>,
    /// Messages that can be received.
    visible: VecDeque<usize>,
    /// Messages that come back, by the time at which they do.
    hidden: BTreeSet<(Instant, usize)>,
    /// Bodies on the dead-letter queue.
    pub dead: Vec<String>,
    /// The receive count of the message that was received most.
    pub most_receives: u32,
    /// How often a receipt handle hid a message that had been received again since.
    pub disturbed: usize,
    sent: usize,
    /// Notified when a message may become visible sooner than [`next`](Self::next) returned.
    pub changed: Arc<Notify>,
}

/// The oddities of one receive of a message.
#[derive(Debug, Clone, Copy)]
pub struct Receive {
    /// The number of receives that it counts as.
    pub counts: u32,
    /// The message comes back after this time, instead of the visibility timeout.
    pub back: Option<Duration>,
}

impl Receive {
    /// A receive without oddities.
    pub const PLAIN: Self = Self {
        counts: 1,
        back: None,
    };
}

#[derive(Debug)]
struct Message {
    body: String,
    sent: Instant,
    receives: u32,
    received: Instant,
    first_received: Option<SystemTime>,
    visible: bool,
    hidden: Option<Instant>,
}

impl Queue {
    /// An empty queue.
    pub fn new(visibility: Duration, max_receives: u32) -> Self {
        Self {
            visibility,
            max_receives,
            messages: HashMap::new(),
            visible: VecDeque::new(),
            hidden: BTreeSet::new(),
            dead: Vec::new(),
            most_receives: 0,
            disturbed: 0,
            sent: 0,
            changed: Arc::default(),
        }
    }

    pub fn send(&mut self, body: String) {
        self.sent += 1;
        let message = Message {
            body,
            sent: Instant::now(),
            receives: 0,
            received: Instant::now(),
            first_received: None,
            visible: true,
            hidden: None,
        };
        self.messages.insert(self.sent, message);
        self.visible.push_back(self.sent);
        self.changed.notify_waiters();
    }

    /// Messages that are neither deleted nor dead.
    pub fn waiting(&self) -> usize {
        self.messages.len()
    }

    /// The messages that can be received, and those that are hidden.
    pub fn depth(&self) -> (usize, usize) {
        let now = Instant::now();
        let back = self.hidden.iter().filter(|(at, _)| *at <= now).count();
        let hidden = self.hidden.len() - back;
        (self.messages.len() - hidden, hidden)
    }

    /// The age of the oldest message that was received fewer than this many times.
    pub fn oldest(&self, receives: u32) -> Option<Duration> {
        let messages = self.messages.values();
        let counted = messages.filter(|message| message.receives < receives);
        counted.map(|message| message.sent.elapsed()).max()
    }

    /// The time at which the next message can be received.
    pub fn next(&self) -> Option<Instant> {
        if self.visible.is_empty() {
            self.hidden.first().map(|(at, _)| *at)
        } else {
            Some(Instant::now())
        }
    }

    /// Receives up to `most` messages, roughly in sequence of arrival. `how` returns the oddities of each.
    pub fn receive(&mut self, most: usize, mut how: impl FnMut() -> Receive) -> Vec<SqsMessage> {
        let now = Instant::now();
        while let Some((at, n)) = self.hidden.first().copied()
            && at <= now
        {
            self.hidden.pop_first();
            if let Some(message) = self.messages.get_mut(&n) {
                message.hidden = None;
                message.visible = true;
                self.visible.push_back(n);
            }
        }
        let mut batch = Vec::new();
        while batch.len() < most && !self.visible.is_empty() {
            let near = self.visible.len().min(20);
            let Some(n) = self.visible.remove(fastrand::usize(..near)) else {
                break;
            };
            let Some(message) = self.messages.get_mut(&n) else {
                continue;
            };
            if message.receives >= self.max_receives {
                if let Some(message) = self.messages.remove(&n) {
                    self.dead.push(message.body);
                }
                continue;
            }
            let Receive { counts, back } = how();
            message.receives += counts;
            let hidden = back.unwrap_or(self.visibility);
            message.visible = hidden.is_zero();
            self.most_receives = self.most_receives.max(message.receives);
            message.received = now;
            let mut record = SqsMessage::default();
            record.message_id = Some(n.to_string());
            record.receipt_handle = Some(handle(n, message.receives));
            record.body = Some(message.body.clone());
            let count = message.receives.to_string();
            let first = message.first_received.get_or_insert_with(clock::now);
            let first = first.duration_since(UNIX_EPOCH).unwrap_or_default();
            record.attributes.extend([
                ("ApproximateReceiveCount".to_owned(), count),
                (
                    "ApproximateFirstReceiveTimestamp".to_owned(),
                    first.as_millis().to_string(),
                ),
            ]);
            batch.push(record);
            if message.visible {
                self.visible.push_back(n);
            } else {
                self.hide_until(n, now + hidden);
            }
        }
        batch
    }

    /// Hides a message until `until`, by any of its receipt handles, even one of an earlier receive.
    pub fn hide(&mut self, handle: &str, until: Instant) {
        let (n, receive) = read_handle(handle);
        let latest = self.messages.get(&n).map(|message| message.receives);
        self.disturbed += usize::from(latest > Some(receive));
        self.hide_until(n, until);
    }

    fn hide_until(&mut self, n: usize, until: Instant) {
        let Some(message) = self.messages.get_mut(&n) else {
            return;
        };
        assert!(until <= message.received + LONGEST, "hidden for too long");
        if let Some(before) = message.hidden.take() {
            self.hidden.remove(&(before, n));
        }
        if std::mem::take(&mut message.visible) {
            self.visible.retain(|other| *other != n);
        }
        message.hidden = Some(until);
        self.hidden.insert((until, n));
        self.changed.notify_waiters();
    }

    /// Deletes a message, and returns its body if it existed. The handle of an earlier receive may or may not delete it: AWS
    /// leaves that open.
    pub fn delete(&mut self, handle: &str) -> Option<String> {
        let (n, receive) = read_handle(handle);
        if self.messages.get(&n)?.receives > receive && fastrand::bool() {
            return None;
        }
        let message = self.messages.remove(&n)?;
        if let Some(until) = message.hidden {
            self.hidden.remove(&(until, n));
        }
        Some(message.body)
    }

    /// Sends the dead messages again.
    pub fn redrive(&mut self) {
        for body in std::mem::take(&mut self.dead) {
            self.send(body);
        }
    }
}

fn handle(n: usize, receive: u32) -> String {
    format!("{n}-{receive}")
}

/// The message that a handle names, and which of its receives.
fn read_handle(handle: &str) -> (usize, u32) {
    let (n, receive) = handle.split_once('-').expect("a handle");
    let receive = receive.parse().expect("a receive");
    (n.parse().expect("a message"), receive)
}
