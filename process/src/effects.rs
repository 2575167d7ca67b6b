//! The time of day and chance, which a test or a simulation chooses.

use std::time::SystemTime;

/// The time of day, and chance.
#[derive(Debug, Clone, Copy)]
pub struct Effects {
    /// Tells the time of day.
    pub clock: fn() -> SystemTime,
    /// Draws a number from 0 to 1; it spreads retries.
    pub chance: fn() -> f64,
}

impl Effects {
    /// The effects of the real machine.
    pub const REAL: Self = Self {
        clock: SystemTime::now,
        chance: fastrand::f64,
    };
}
