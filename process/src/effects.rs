//! The time of day and chance, replaceable by tests and simulations.

use std::time::SystemTime;

/// The time of day and chance.
#[derive(Debug, Clone, Copy)]
pub struct Effects {
    /// Returns the time of day.
    pub clock: fn() -> SystemTime,
    /// Draws a number from 0 to 1, which spreads retries.
    pub chance: fn() -> f64,
}

impl Effects {
    /// The real clock and the machine's randomness.
    pub const REAL: Self = Self {
        clock: SystemTime::now,
        chance: fastrand::f64,
    };
}
