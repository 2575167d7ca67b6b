//! Workers whose messages came back, and were received by others, before they were done.

use sim::{
    case::{Case, Fault, Stack},
    run::run,
};
use std::time::Duration;

/// A worker's receipt handles still change visibility then: it hides messages from its successor, or returns them to the queue
/// while the successor works.
#[test]
fn a_late_worker_that_disturbs_its_successor_costs_no_order() {
    let mut disturbed = 0;
    for seed in 1..61 {
        let mut case = Case::of(seed);
        case.weather.outages.clear();
        case.weather.ends = Duration::from_mins(2);
        case.weather.rates = [
            (Fault::BackEarly, 0.5),
            (Fault::Conflict, 0.2),
            (Fault::Internal, 0.2),
            (Fault::Slow, 0.2),
            (Fault::ClockWrong, 0.9),
        ]
        .into();
        case.stack.max_receives = Stack::default().max_receives;
        // Workers run out of time, and return orders to the queue.
        case.table.units = Some(100);
        let report = run(&case, false);
        assert!(report.wrong.is_empty(), "seed {seed}: {:?}", report.wrong);
        disturbed += report.disturbed;
    }
    assert!(disturbed > 20, "only {disturbed} times");
}
