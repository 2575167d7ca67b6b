//! How densely orders came, as an environment sees it: a spike's queue advances slowly, and those who come after it wait for
//! fewer orders than the pace of the spike says.

use std::collections::BTreeMap;

/// Arrivals are counted for each span of this many seconds.
const SPAN: f64 = 4.0;
/// Spans that are remembered: more than an hour.
const SPANS: usize = 1024;

/// The orders that asked for the first time and wait, by the time at which they were placed.
#[derive(Debug, Default)]
pub(super) struct Arrivals(BTreeMap<u64, f64>);

impl Arrivals {
    /// Counts an order that was placed at this time.
    pub fn placed(&mut self, at: f64) {
        *self.0.entry(span(at)).or_default() += 1.0;
        if self.0.len() > SPANS {
            self.0.pop_first();
        }
    }

    /// The number of orders that were placed in the last two spans, about.
    pub fn lately(&self, now: f64) -> f64 {
        self.0
            .range(span(now - 2.0 * SPAN)..)
            .map(|(_, orders)| orders)
            .sum()
    }

    /// How densely orders came between the queue's front and `placed`, as a part of how densely they came at the front. One if
    /// that is unknown, or more. Those who were placed just now have not asked yet.
    pub fn thinned(&self, front: f64, placed: f64, now: f64) -> f64 {
        let is_known = self
            .0
            .first_key_value()
            .is_some_and(|(first, _)| *first <= span(front));
        let here = self.density(front - 2.0 * SPAN, front + 2.0 * SPAN);
        if !is_known || here == 0.0 || placed < front + 5.0 * SPAN {
            return 1.0;
        }
        let between = self.density(front, placed.min(now - SPAN));
        (between / here).clamp(0.1, 1.0)
    }

    /// Orders for each span, on average.
    fn density(&self, from: f64, until: f64) -> f64 {
        let (from, until) = (span(from), span(until));
        let orders: f64 = self.0.range(from..=until).map(|(_, orders)| orders).sum();
        let spans = u32::try_from(until - from + 1).unwrap_or(u32::MAX);
        orders / f64::from(spans)
    }
}

/// The span that a time is in.
fn span(at: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(at / SPAN).map_or(0, |spans| spans.as_secs())
}
