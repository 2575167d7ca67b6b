//! What clients read over time: an answer that was final never changes.

use super::Tables;
use crate::{
    case::{Case, Fault},
    clock,
    orders::Orders,
};
use events::{OrderRecord, Outcome, Timestamp};
use ingest::provisional::is_provisional;
use process::processor::MARGIN;
use std::collections::{BTreeMap, BTreeSet};

/// The final answers that clients got.
#[derive(Debug, Default)]
pub struct Reads {
    /// The outcome and its time, by the order's id.
    shown: BTreeMap<String, (Outcome, Timestamp)>,
    /// Whether orders that read `failed` may still be settled, at least by a redrive.
    pub failed_may_change: bool,
    /// Orders that have several messages: when one has failed for good, another may settle the order.
    several: BTreeSet<String>,
    /// The number of final answers.
    pub count: usize,
}

impl Reads {
    /// Starts with nothing read.
    pub fn new(case: &Case, orders: &Orders) -> Self {
        // An old worker may give up on an order sooner than the queue does.
        let has_old = case.weather.rates.contains_key(&Fault::OldWorker)
            && case.old_stack().max_receives < case.stack.max_receives;
        // A `failed` row that a wrong clock backdates reads `failed` too soon.
        let failed_may_change = has_old || case.weather.clocks > MARGIN;
        Self {
            several: orders.several.iter().map(ToString::to_string).collect(),
            failed_may_change,
            ..Self::default()
        }
    }
}

impl Tables {
    /// Reads an order as `status` does: consistently, a young `failed` row as `queued`, and an expired row as absent.
    pub fn read(&mut self, id: &str) {
        self.sweep();
        let now = Timestamp::from(clock::now());
        let row = self.rows.get(id).filter(|row| !row.has_expired(now));
        let Some(row) = row else {
            return self.read_nothing(id, now);
        };
        let row: OrderRecord = serde_dynamo::from_item(row.item.clone()).expect("an order's row");
        let failed_after = self.case.stack.failed_after;
        let is_final = !is_provisional(row.outcome, row.processed_at, now, failed_after);
        let answer = is_final.then_some((row.outcome, row.processed_at));
        let before = self.reads.shown.get(id).copied();
        if let Some(answer) = answer {
            self.reads.count += 1;
            self.reads.shown.insert(id.to_owned(), answer);
        }
        let Some((outcome, _)) = before.filter(|before| Some(*before) != answer) else {
            return;
        };
        let reads = &self.reads;
        let may_change = reads.failed_may_change || reads.several.contains(id);
        if outcome != Outcome::Failed || !may_change {
            let now = answer.map(|(outcome, _)| outcome);
            let wrong = format!("a client read that {id} is {outcome:?}, and later {now:?}");
            self.seen.wrong.push(wrong);
        }
    }

    /// Records that the order is queued, or that its row has expired and its key stands for a new order.
    fn read_nothing(&mut self, id: &str, now: Timestamp) {
        let keep = self.case.stack.keep;
        let is_kept = |at: Timestamp| keep.is_none_or(|keep| at.until(now) < keep);
        match self.reads.shown.remove(id) {
            Some((outcome, at)) if is_kept(at) => {
                let wrong = format!("a client read that {id} is {outcome:?}, and later nothing");
                self.seen.wrong.push(wrong);
            }
            _ => {}
        }
    }

    /// Records that an order's key stands for a new order.
    pub(super) fn forget(&mut self, id: &str) {
        self.reads.shown.remove(id);
    }
}
