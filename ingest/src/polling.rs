//! Keeps what an environment of the function `status` has seen of the queue, for all its requests.

use crate::wait::Waits;
use events::{Client, Outcome, Timestamp};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Learns from the rows that are returned when waiting clients should ask again.
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
        if matches!(outcome, Outcome::Confirmed | Outcome::Rejected(_)) {
            self.waits().settled(client, placed_at, processed_at, now());
        }
    }

    /// The wait of a client whose order was accepted at `placed_at`, if that is known, and has no outcome yet.
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
    // Without chance all clients wait the same time.
    let drawn = getrandom::fill(&mut random);
    drawn.map_or(0.5, |()| {
        f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)
    })
}
