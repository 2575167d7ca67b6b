//! Remembers what an environment of the function `status` has seen of the queue, across requests.

use crate::wait::Waits;
use events::{Client, Outcome, Timestamp};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Learns from the rows that it returns when waiting clients should poll again.
#[derive(Debug, Default)]
pub struct Polling(Mutex<Waits>);

impl Polling {
    /// Learns from a settled order's row.
    pub(crate) fn settled(
        &self,
        client: &Client,
        outcome: Outcome,
        placed_at: Timestamp,
        processed_at: Timestamp,
    ) {
        if outcome.is_final() {
            self.waits().settled(client, placed_at, processed_at, now());
        }
    }

    /// Returns the wait of a client whose order has no outcome yet. `placed_at` is the time of its acceptance, if known.
    pub(crate) fn wait(&self, client: &Client, placed_at: Option<Timestamp>) -> Duration {
        self.waits().wait(client, placed_at, now(), chance())
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn chance() -> f64 {
    let mut random = [0; 4];
    // If the generator fails, all clients wait the same time.
    let drawn = getrandom::fill(&mut random);
    drawn.map_or(0.5, |()| {
        f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)
    })
}
