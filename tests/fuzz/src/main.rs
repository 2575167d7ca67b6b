#![doc = include_str!("../README.md")]
//!
//! # Layout
//! - [`targets`]: one file each: a program of bytes becomes an input, takes the same path as in the function, and the result
//!   is checked.
//! - [`program`]: bytes as choices. [`json`]: documents that start as a sample of `events/` and are then mutated, so that code
//!   behind the first check is reached, too. [`samples`]: these samples.
//! - [`functions`]: the functions, as they are deployed, above a real SDK client. [`cloud`]: the HTTP below it, which checks
//!   requests against the services' limits.
//! - [`answers`]: the rules for every answer to a client. [`logs`]: the rules for every log line.
//! - [`finds`]: inputs that found something.
//! - [`tally`]: counts outcomes. [`leaks`]: facts about secrets and about errors of the services that no input causes.

mod answers;
mod cloud;
mod finds;
mod functions;
mod json;
mod leaks;
mod logs;
mod program;
mod samples;
mod tally;
mod targets;

use std::time::Duration;
use tally::Tally;

/// Makes the test of a target: this many programs must reach its outcomes. It stands where cargo-bolero looks for it.
macro_rules! fuzz {
    ($target:ident $programs:literal) => {
        #[test]
        fn $target() {
            let mut tally = Tally::default();
            tally::programs($programs, |program| {
                targets::$target::run(program, &mut tally);
            });
            tally.must_have(&targets::$target::REACHES);
            bolero::check!()
                .with_test_time(Duration::from_secs(1))
                .with_max_len(512)
                .for_each(|program: &[u8]| {
                    targets::$target::run(program, &mut tally);
                    tally.report(stringify!($target));
                });
        }
    };
}

fuzz!(order_body 1500);
fuzz!(batch_body 1000);
fuzz!(headers 500);
fuzz!(client 500);
fuzz!(order_id 500);
fuzz!(gateway_event 500);
fuzz!(record_body 1000);
fuzz!(queue_event 400);
