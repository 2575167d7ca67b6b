//! Measures how fast the queue advances, by the rows of recently settled orders.

use super::{WINDOW, median};

/// Maximum number of rows that are kept per span of processing time, and the length of that span in seconds.
const ROWS: (usize, f64) = (6, 2.0);
/// Fewest rows from which a pace is measured.
const MEASURED: usize = 4;

/// Recently settled orders, by the time at which they were processed.
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
    /// Orders placed at this time are being settled now.
    pub placed: f64,
    /// How fast orders are settled: how many seconds' worth of placed orders per second.
    pub speed: f64,
    /// Length of the time in which this was observed, in seconds.
    pub span: f64,
    /// False if the speed is a guess, because there are too few rows.
    pub is_measured: bool,
}

impl Pace {
    /// Adds a row. Orders of a batch request were placed at the same time and count as one.
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

    /// Returns whether any row still counts.
    pub fn is_recent(&self, now: f64) -> bool {
        let newest = self.0.last();
        newest.is_some_and(|row| now - row.processed < WINDOW)
    }

    /// Returns how far the queue has advanced now. Medians ignore single orders that came back late, or overtook others.
    pub fn front(&self, now: f64) -> Option<Front> {
        let stale = |row: &Row| now - row.processed >= WINDOW;
        let rows = &self.0[self.0.partition_point(stale)..];
        let (first, last) = (rows.first()?, rows.last()?);
        let span = last.processed - first.processed;
        let Some(speed) = speed(rows).filter(|_| span >= 1.0) else {
            // Takes the order that waited least, and assumes that the queue advances at half the speed of time.
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

/// Returns the median of the slopes between rows that are a quarter of all rows apart, in the newer part: a pause of the
/// workers bends few of them. None if more than a quarter of the slopes go backwards: batches that are written out of sequence
/// don't show the pace.
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
