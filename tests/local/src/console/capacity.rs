//! Tables that accept this many write units per second, and throttle beyond them: the reason to level a spike.

use crate::faults::{Call, Fault};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The latency that is added to each write.
const LATENCY: Duration = Duration::from_millis(8);
/// Write units of a row in a transaction, and of a row alone, up to a KiB; larger rows cost more on AWS.
const IN_TRANSACTION: f64 = 2.0;
const ALONE: f64 = 1.0;

#[derive(Debug)]
pub struct Capacity {
    /// Write units per second.
    units: f64,
    /// The units left, at most those of a second, and when they were last counted.
    left: Mutex<(f64, Instant)>,
}

impl Capacity {
    pub fn new(units: u32, now: Instant) -> Self {
        let units = units.into();
        Self {
            units,
            left: Mutex::new((units, now)),
        }
    }

    /// Decides on a call that arrives now.
    pub fn judge(&self, call: &Call, now: Instant) -> Option<Fault> {
        let cost = match call.operation {
            #[expect(clippy::cast_precision_loss)]
            "TransactWriteItems" => IN_TRANSACTION * call.actions() as f64,
            "PutItem" => ALONE,
            _ => return None,
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (units, counted) = &mut *left;
        let passed = now.saturating_duration_since(*counted).as_secs_f64();
        *units = (*units + passed * self.units).min(self.units);
        *counted = now;
        // A table at rest lets through even a call that costs more than a second's units.
        if *units < cost.min(self.units) {
            let message = "The level of configured provisioned throughput was exceeded.";
            let code = "ProvisionedThroughputExceededException";
            return Some(Fault::refuse(400, code, message));
        }
        *units -= cost;
        Some(Fault::Slow(LATENCY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_run_out_and_come_back() {
        let start = Instant::now();
        let capacity = Capacity::new(10, start);
        let write = |ms, operation, body: &str| {
            let call = Call {
                caller: "F",
                operation,
                body: body.as_bytes(),
            };
            let fault = capacity.judge(&call, start + Duration::from_millis(ms));
            fault.map(|fault| matches!(fault, Fault::Slow(_)))
        };
        let transaction = |ms, actions| {
            let actions = vec!["{}"; actions].join(",");
            write(
                ms,
                "TransactWriteItems",
                &format!("{{\"TransactItems\":[{actions}]}}"),
            )
        };
        assert_eq!(write(0, "GetItem", "{}"), None);
        assert_eq!(transaction(0, 4), Some(true));
        assert_eq!(transaction(0, 2), Some(false));
        assert_eq!(write(0, "PutItem", "{}"), Some(true));
        assert_eq!(transaction(300, 2), Some(true));
        assert_eq!(transaction(5000, 50), Some(true));
        assert_eq!(transaction(6000, 1), Some(false));
    }
}
