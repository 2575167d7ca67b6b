//! Estimates how densely orders arrived, as far as an environment sees it. A spike's queue advances slowly, but fewer orders
//! arrive after the spike: these clients have fewer orders ahead of them than the spike's pace suggests.

use std::collections::BTreeMap;

/// Arrivals are counted per span of this many seconds.
const SPAN: f64 = 4.0;
/// Maximum number of spans that are remembered: more than an hour.
const SPANS: usize = 1024;

/// Waiting orders that were asked for, counted at their first request, by the time at which they were placed.
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

    /// Returns about how many orders were placed in the last two spans.
    pub fn lately(&self, now: f64) -> f64 {
        self.0
            .range(span(now - 2.0 * SPAN)..)
            .map(|(_, orders)| orders)
            .sum()
    }

    /// Returns how densely orders arrived between the queue's front and `placed`, relative to the density at the front; 1 if
    /// that is unknown or higher. Orders placed just now are ignored: their clients have not asked yet.
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

    /// Returns the average number of orders per span.
    fn density(&self, from: f64, until: f64) -> f64 {
        let (from, until) = (span(from), span(until));
        let orders: f64 = self.0.range(from..=until).map(|(_, orders)| orders).sum();
        let spans = u32::try_from(until - from + 1).unwrap_or(u32::MAX);
        orders / f64::from(spans)
    }
}

/// Returns the span that contains this time.
fn span(at: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(at / SPAN).map_or(0, |spans| spans.as_secs())
}
