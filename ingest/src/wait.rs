//! Decides when a client polls for its outcome again. Pure: times and chance are passed in.
//!
//! Waiting clients are load, too. An environment learns how fast the queue advances from the rows that it returns, without a
//! setting or another call: each settled row has the time at which its order was placed and the time at which it was
//! processed. A waiting order's turn comes when the queue has advanced to the time at which that order was placed.

mod arrivals;
mod pace;

use arrivals::Arrivals;
use events::{Client, Timestamp};
use pace::{Front, Pace};
use std::{
    collections::HashMap,
    time::{Duration, UNIX_EPOCH},
};

/// First wait, in the 202. A queue without a backlog has settled the order by then.
pub const FIRST: Duration = Duration::from_secs(2);
/// Longest wait.
pub const LONGEST: Duration = Duration::from_hours(1);
/// Seconds for which a row counts. Lambda may freeze an environment for longer.
const WINDOW: f64 = 45.0;
/// Maximum seconds over which chance spreads clients: those whose turn is known, and others.
const SPREAD: (f64, f64) = (10.0, 25.0);
/// Longest wait of an order that is overdue or whose turn is unknown, in seconds.
const MOST: f64 = 300.0;
/// Maximum number of clients whose own pace an environment remembers.
const CLIENTS: usize = 1000;

/// What an environment of the function `status` knows of the queue.
#[derive(Debug, Default)]
pub struct Waits {
    everyone: Pace,
    /// SQS lets the orders of a client with few messages overtake those of a client with many, so each client has its own
    /// pace.
    own: HashMap<Client, Pace>,
    arrivals: Arrivals,
    /// Times of the first and the last `queued` answer since an order was last seen to be settled.
    in_vain: Option<(f64, f64)>,
}

impl Waits {
    /// Learns from the row of an order that reached its turn: one that was confirmed or rejected. A failed order's row says
    /// nothing about the pace, because that order was given up after many deliveries.
    pub fn settled(
        &mut self,
        client: &Client,
        placed_at: Timestamp,
        processed_at: Timestamp,
        now: Timestamp,
    ) {
        let now = seconds(now);
        let (placed, processed) = (seconds(placed_at), seconds(processed_at).min(now));
        if now - processed >= WINDOW {
            return;
        }
        self.in_vain = None;
        self.everyone.settled(placed, processed, now);
        if self.own.len() >= CLIENTS {
            self.own.retain(|_, pace| pace.is_recent(now));
        }
        if self.own.len() < CLIENTS || self.own.contains_key(client) {
            let own = self.own.entry(client.clone()).or_default();
            own.settled(placed, processed, now);
        }
    }

    /// Returns the wait of a client whose order has no outcome yet, in whole seconds. A request that doesn't say when the
    /// order was placed counts as the first for this order. `chance`, from 0 to 1, spreads clients that came together.
    pub fn wait(
        &mut self,
        client: &Client,
        placed_at: Option<Timestamp>,
        now: Timestamp,
        chance: f64,
    ) -> Duration {
        let now = seconds(now);
        let first = FIRST.as_secs_f64();
        let placed = placed_at.map_or(now - first, |at| seconds(at).min(now));
        let age = now - placed;
        if age < 2.0 * first {
            self.arrivals.placed(placed);
        }
        let own = self.own.get(client).and_then(|own| own.front(now));
        let own = own.filter(|front| front.is_measured);
        let front = own.or_else(|| self.everyone.front(now));
        let turn = front
            .as_ref()
            .map_or(0.0, |front| self.turn(front, placed, now));
        // The turn has passed, or is unknown. While nothing is settled, waits grow as fast as time passes.
        let is_measured = front.is_some_and(|front| front.is_measured);
        let overdue = if is_measured { age / 3.0 } else { age };
        let patience = overdue.max(1.5 * self.silence(now)).min(MOST) * (0.75 + chance / 2.0);
        let wait = (turn * (1.0 + chance / 4.0)).max(patience);
        let (known, unknown) = SPREAD;
        let spread = if is_measured && turn >= first {
            known
        } else {
            unknown
        };
        // If few orders arrive, clients need no spreading.
        let spread = spread.min(2.0 * self.arrivals.lately(now));
        let wait = wait.max(first) + spread * chance;
        Duration::from_secs_f64(wait.min(LONGEST.as_secs_f64()).round())
    }

    /// Returns the seconds until the queue reaches an order that was placed at this time.
    fn turn(&self, front: &Front, placed: f64, now: f64) -> f64 {
        let ahead = (placed - front.placed).max(0.0);
        if front.is_measured {
            let thinned = self.arrivals.thinned(front.placed, placed, now);
            // A pace that was measured for a second says little about the next hour.
            (ahead * thinned / front.speed).min(75.0 * front.span)
        } else {
            // A single row may be that of an order that was delivered twice.
            (ahead / front.speed).min(8.0 * (now - placed))
        }
    }

    /// Returns for how long this environment has answered `queued` without seeing an order settled.
    fn silence(&mut self, now: f64) -> f64 {
        let unbroken = self.in_vain.filter(|(_, last)| now - last < WINDOW);
        let since = unbroken.map_or(now, |(first, _)| first);
        self.in_vain = Some((since, now));
        now - since
    }
}

/// Converts to seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    Timestamp::from(UNIX_EPOCH).until(at).as_secs_f64()
}

/// Sorts the values and returns their median; None if there are none.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    values.sort_unstable_by(f64::total_cmp);
    values.get(middle).copied()
}

#[cfg(test)]
mod tests;
