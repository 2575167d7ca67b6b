//! Makes a failing case as small as it can be while it still fails.

use crate::{
    case::{Case, Load, Stack, Weather},
    run::run,
};
use std::time::Duration;

/// Returns the smallest failing case that it finds.
pub fn shrink(case: &Case) -> Case {
    let mut smallest = case.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(fails) {
        smallest = smaller;
    }
    smallest
}

fn fails(case: &Case) -> bool {
    !run(case, false).wrong.is_empty()
}

/// Returns cases that are a little simpler than this one.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        if smaller != *case {
            all.push(smaller);
        }
    };
    for fault in case.weather.rates.keys() {
        add(&|case: &mut Case| case.weather.rates.retain(|other, _| other != fault));
    }
    add(&|case| case.weather.outages.clear());
    add(&|case| {
        for outage in &mut case.weather.outages {
            outage.until = outage.from + half(outage.lasts());
        }
    });
    add(&|case| {
        for outage in &mut case.weather.outages {
            let lasts = outage.lasts();
            outage.from = half(outage.from);
            outage.until = outage.from + lasts;
        }
    });
    add(&|case| case.weather.clocks = Duration::ZERO);
    add(&|case| case.load.copies = None);
    add(&|case| {
        if let Some(copies) = &mut case.load.copies {
            copies.retried = None;
        }
    });
    add(&|case| {
        if let Some(copies) = &mut case.load.copies {
            copies.delayed = half(copies.delayed);
        }
    });
    add(&|case| case.stack.keep = None);
    add(&|case| case.stack.max_receives = Stack::default().max_receives);
    add(&|case| case.stack.bus = false);
    add(&|case| case.load.orders = case.load.orders.div_ceil(2));
    add(&|case| case.load.orders -= usize::from(case.load.orders > 1));
    add(&|case| case.load.lines = *case.load.lines.start()..=*case.load.lines.start());
    add(&|case| {
        let Load { twice, other, .. } = &mut case.load;
        (*twice, *other) = (0.0, 0.0);
    });
    add(&|case| case.load.poison = 0);
    add(&|case| case.load.later = 0);
    add(&|case| case.load.broken = 0);
    add(&|case| case.load.added = None);
    add(&|case| case.load.scarce = false);
    add(&|case| case.load.zipf = false);
    add(&|case| case.load.over = Duration::ZERO);
    add(&|case| case.stack.workers = case.stack.workers.div_ceil(2).max(2));
    add(&|case| case.stack.batch = case.stack.batch.min(Stack::default().batch));
    add(&|case| case.table.units = None);
    add(&|case| case.table.partitions = 1);
    add(&|case| {
        let Weather { ends, .. } = &mut case.weather;
        *ends = half(*ends);
    });
    all
}

/// Halves a time, if the result is at least a second.
fn half(time: Duration) -> Duration {
    let half = time / 2;
    if half < Duration::from_secs(1) {
        time
    } else {
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Outage, OutageKind, Table};

    #[test]
    fn each_kind_of_fault_is_taken_away() {
        for seed in 1..100 {
            let mut case = Case::of(seed);
            // Treats each smaller case as failing.
            while let Some(next) = smaller(&case).into_iter().next() {
                case = next;
            }
            let Case {
                load,
                stack,
                weather,
                ..
            } = case;
            assert_eq!((load.copies, stack.keep), (None, None), "seed {seed}");
            assert_eq!(stack.max_receives, Stack::default().max_receives);
            assert_eq!(weather.clocks, Duration::ZERO, "seed {seed}");
            assert!(weather.rates.is_empty() && weather.outages.is_empty());
        }
    }

    #[test]
    fn a_failing_case_loses_whatever_it_does_not_need_to_fail() {
        // One delivery, a table that throttles everything once the first row of a last delivery exists, and a `status` that
        // shows the row as failed too soon.
        let lasts = Duration::from_secs(100);
        let case = Case {
            seed: 1,
            load: Load::of(20, 2, 100),
            stack: Stack {
                max_receives: 1,
                failed_after: Duration::from_secs(20),
                ..Stack::default()
            },
            table: Table::default(),
            weather: Weather {
                outages: vec![Outage {
                    from: Duration::from_millis(1014),
                    until: lasts,
                    kind: OutageKind::Throttled,
                }],
                ..Weather::default()
            },
        };
        let smallest = shrink(&case);
        assert!(fails(&smallest));
        assert_eq!(smallest.load.orders, 1);
        let [outage] = &smallest.weather.outages[..] else {
            panic!("{:?}", smallest.weather)
        };
        assert!(outage.until <= lasts / 2, "{outage:?}");
    }
}
