//! Which alarm of the template fires for which fault, and by when. The README promises it.

use sim::alarms::{Day, Fired, alarms, all, list};

/// An alarm that must fire, and within how many minutes on a busy and on a quiet day.
type Expected = (&'static str, u32, u32);

/// The alarms that each fault must fire.
const EXPECTED: [(&str, &[Expected]); 16] = [
    ("nothing", &[]),
    ("messages come twice, or back early", &[]),
    ("changes of visibility are refused", &[]),
    ("a tenth of writes is throttled, a tenth in conflict", &[]),
    (
        "of the calls, the bus's too, a tenth each is slow, late, cut off, too large",
        &[],
    ),
    ("the table is down", OUTAGE),
    ("the table throttles everything", OUTAGE),
    ("the table doesn't answer", OUTAGE),
    (
        "the table takes half of what comes",
        &[
            ("OrdersWithoutOutcomeAlarm", 16, 40),
            ("FailedAttemptsAlarm", 16, 40),
            ("OutcomeTimeAlarm", 23, NEVER),
            ("BacklogAlarm", 26, NEVER),
        ],
    ),
    (
        "an article's row can't be written",
        &[
            ("DeliveriesAlarm", 5, 5),
            ("OrdersWithoutOutcomeAlarm", 12, 6),
            ("DeadLetterAlarm", 50, 46),
        ],
    ),
    (
        "a message is no order",
        &[
            ("DeliveriesAlarm", 5, 5),
            ("OrdersWithoutOutcomeAlarm", 11, 6),
            ("DeadLetterAlarm", 49, 48),
        ],
    ),
    (
        "a message is of a later version",
        &[
            ("DeliveriesAlarm", 19, 19),
            ("OrdersWithoutOutcomeAlarm", 11, 22),
            ("DeadLetterAlarm", 78, 78),
        ],
    ),
    (
        "a key is used for two orders",
        &[("KeyMismatchesAlarm", 1, 3)],
    ),
    (
        "workers can't start",
        &[
            ("ProcessErrorsAlarm", 1, 1),
            ("OrdersWithoutOutcomeAlarm", 5, 5),
            ("DeadLetterAlarm", NEVER, NEVER),
        ],
    ),
    ("workers are killed", &[("ProcessErrorsAlarm", 2, NEVER)]),
    (
        "the event bus is down",
        &[
            ("UnpublishedAlarm", 6, 6),
            ("OrdersWithoutOutcomeAlarm", 5, 5),
            ("DeliveriesAlarm", 19, 19),
            ("DeadLetterAlarm", NEVER, NEVER),
        ],
    ),
];
const OUTAGE: &[Expected] = &[
    ("BacklogAlarm", 5, 5),
    ("OrdersWithoutOutcomeAlarm", 5, 5),
    ("FailedAttemptsAlarm", 8, 8),
    ("DeliveriesAlarm", 25, 21),
    // Forty minutes cost no order.
    ("DeadLetterAlarm", NEVER, NEVER),
];
/// The alarm must not fire: too few orders come on such a day, or none is dead by then.
const NEVER: u32 = u32::MAX;

#[test]
fn each_fault_fires_its_alarms_in_time_and_harmless_ones_fire_none() -> anyhow::Result<()> {
    let all = all(&alarms()?);
    let names: Vec<_> = all.iter().map(|(name, ..)| *name).collect();
    for (name, expected) in EXPECTED {
        assert!(names.contains(&name), "{name}: {names:?}");
        for (_, day, fired) in all.iter().filter(|(trouble, ..)| *trouble == name) {
            check(name, *day, expected, fired);
        }
    }
    assert_eq!(all.len(), 2 * EXPECTED.len());
    Ok(())
}

fn check(name: &str, day: Day, expected: &[Expected], fired: &Fired) {
    let all = list(fired);
    if expected.is_empty() {
        assert!(fired.is_empty(), "{name}, {day:?}: {all}");
    }
    for (alarm, busy, quiet) in expected {
        let most = if day == Day::Busy { *busy } else { *quiet };
        let minute = fired.get(*alarm).copied();
        let is_in_time = match most {
            NEVER => minute.is_none(),
            most => minute.is_some_and(|minute| minute <= most),
        };
        assert!(is_in_time, "{name}, {day:?}: {alarm} by {most}; {all}");
    }
}
