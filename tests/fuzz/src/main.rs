#![doc = include_str!("../README.md")]
//!
//! # Layout
//! - [`targets`]: one file each: a program of bytes becomes an input, goes the way that it goes in the
//!   function, and the result is checked.
//! - [`program`]: bytes as choices. [`json`]: documents that begin as a sample of `events/` and are then changed, so
//!   that code behind the first check is reached, too. [`samples`]: these.
//! - [`functions`]: the functions, as they are deployed, above a real SDK client. [`cloud`]: the HTTP below it, which
//!   holds what it gets against the services' limits.
//! - [`answers`]: the rules for every answer to a client. [`logs`]: the rules for every log line.
//! - [`finds`]: inputs that were found so far.
//! - [`tally`]: counts outcomes. [`leaks`]: facts about secrets and about errors of the services, which no input brings
//!   about.

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

/// Makes the test of a target: so many programs must reach these outcomes. It stands where cargo-bolero looks for it.
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
