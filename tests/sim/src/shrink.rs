//! A failing case, made as small as it can be and still fail.

use crate::{
    case::{Case, Load, Stack, Weather},
    run::run,
};
use std::time::Duration;

/// The smallest case that was found to fail.
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

/// Cases that are a little simpler than this one.
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
        *ends /= 2;
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Outage, OutageKind};

    #[test]
    fn a_failing_case_loses_whatever_it_does_not_need_to_fail() {
        let mut case = Case::of(1);
        // With one receive, an outage is enough for a dead order.
        case.stack.max_receives = 1;
        case.weather.rates.clear();
        case.weather.outages = vec![Outage {
            from: Duration::ZERO,
            until: Duration::from_mins(10),
            kind: OutageKind::Down,
        }];
        let smallest = shrink(&case);
        assert!(fails(&smallest));
        assert_eq!(
            (smallest.load.orders, smallest.weather.outages.len()),
            (1, 1)
        );
    }
}
