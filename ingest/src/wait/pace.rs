//! How fast the queue advances, from the rows of orders that were settled lately.

use super::{WINDOW, median};

/// The rows are thinned to this many for each span of processing time, in seconds.
const ROWS: (usize, f64) = (6, 2.0);
/// A pace is measured from this many rows on.
const MEASURED: usize = 4;

/// Orders that were settled lately, by the time at which they were processed.
#[derive(Debug, Default)]
pub(super) struct Pace(Vec<Row>);

#[derive(Debug, Clone, Copy)]
struct Row {
    placed: f64,
    processed: f64,
}

/// How far the queue has advanced.
#[derive(Debug)]
pub(super) struct Front {
    /// Orders that were placed at this time are settled now.
    pub placed: f64,
    /// Seconds of placing time that are settled in a second.
    pub speed: f64,
    /// The seconds in which that was seen.
    pub span: f64,
    /// False if the speed is a guess, from fewer rows.
    pub is_measured: bool,
}

impl Pace {
    /// Adds a row. The orders of a batch request were placed at one time and count as one.
    pub fn settled(&mut self, placed: f64, processed: f64, now: f64) {
        self.0.retain(|row| now - row.processed < WINDOW);
        let (most, span) = ROWS;
        let is_same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
        let slot = |at: f64| (at / span).floor();
        let (mut is_known, mut in_slot) = (false, 0);
        for row in &self.0 {
            is_known |= is_same(row.placed, placed);
            in_slot += usize::from(is_same(slot(row.processed), slot(processed)));
        }
        if is_known || in_slot >= most {
            return;
        }
        let at = self.0.partition_point(|row| row.processed <= processed);
        self.0.insert(at, Row { placed, processed });
    }

    /// True if a row says anything still.
    pub fn is_recent(&self, now: f64) -> bool {
        let newest = self.0.last();
        newest.is_some_and(|row| now - row.processed < WINDOW)
    }

    /// How far the queue has advanced now. Medians pass over single orders that came back late, or overtook others.
    pub fn front(&self, now: f64) -> Option<Front> {
        let stale = |row: &Row| now - row.processed >= WINDOW;
        let rows = &self.0[self.0.partition_point(stale)..];
        let (first, last) = (rows.first()?, rows.last()?);
        let span = last.processed - first.processed;
        let Some(speed) = speed(rows).filter(|_| span >= 1.0) else {
            // The order that waited least; and the queue gets half as far behind as time passes.
            let waited = rows.iter().map(|row| row.processed - row.placed);
            return Some(Front {
                placed: now - waited.fold(f64::INFINITY, f64::min).max(0.0),
                speed: 0.5,
                span,
                is_measured: false,
            });
        };
        let newest = &rows[rows.len() - rows.len().div_ceil(3)..];
        let ahead = |row: &Row| row.placed + speed * (now - row.processed);
        let placed = median(&mut newest.iter().map(ahead).collect::<Vec<_>>())?;
        Some(Front {
            placed: placed.min(now),
            speed,
            span,
            is_measured: true,
        })
    }
}

/// The median of the slopes between rows that are a quarter of all apart, of the newer ones: a pause of the workers bends
/// few of them. None if more than a quarter goes backwards: batches that are written out of sequence don't show the pace.
fn speed(rows: &[Row]) -> Option<f64> {
    if rows.len() < MEASURED {
        return None;
    }
    let apart = rows.len().div_ceil(4);
    let pairs = rows.iter().zip(&rows[apart..]);
    let slopes = pairs.skip((rows.len() - apart) / 2).filter_map(|(a, b)| {
        let passed = b.processed - a.processed;
        (passed > 0.2).then(|| (b.placed - a.placed) / passed)
    });
    let mut slopes: Vec<_> = slopes.collect();
    let speed = median(&mut slopes)?;
    let advances = slopes[slopes.len() / 4] > 0.0;
    advances.then(|| speed.clamp(0.01, 50.0))
}
